/* How many floating-point operations the core can do at most: what a share of peak is a share of. */
#ifndef NN_KERNELS_PEAK_H
#define NN_KERNELS_PEAK_H

/* Local. Operations a second of the calling thread: fused multiply-adds out of registers, as many chains at once as a
 * product has (tile_table.h), each counted as two; by the instructions that products take here (cpu.h). Without FMA:
 * multiplications and additions. The best of bursts of a millisecond, together 50 ms. Floating point as numerics.h
 * wants it. */
double peak_flops(void);

#endif
