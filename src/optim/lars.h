/* The settings of LARS. */
#ifndef OPTIM_LARS_H
#define OPTIM_LARS_H

struct lars {
    double momentum; /* in [0, 1); 0: there is no velocity */
    double epsilon;  /* added to the denominator of the trust ratio */
    double trust;    /* trust coefficient */
};

#endif
