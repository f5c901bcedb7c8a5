/* OpenBLAS itself: one thread, and which kernels it has. Products are made through compute.h. */
#ifndef NN_KERNELS_GEMM_H
#define NN_KERNELS_GEMM_H

/* Local. One thread from now on, whichever build of OpenBLAS was loaded. */
void gemm_init(void);

/* Local. What OPENBLAS_CORETYPE asks for, if OpenBLAS has not taken it: it passes over a name that it does not know.
 * NULL: nothing is asked for, or it was taken. Borrowed. */
const char *gemm_core_ignored(void);

#endif
