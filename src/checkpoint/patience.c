#include "checkpoint/patience.h"

double patience_of(const struct patience *patience, enum patience_phase phase)
{
    double measured = 20 * patience->longest_s[phase];
    double expected = (phase == PATIENCE_LAYOUT ? patience->file_bytes : patience->bytes) / 5e6;
    if (patience->fixed_s > 0)
        return patience->fixed_s;
    return 60 + (measured > expected ? measured : expected);
}

void patience_expect(struct patience *patience, enum patience_phase phase, double seconds)
{
    if (seconds > patience->longest_s[phase])
        patience->longest_s[phase] = seconds;
}

void patience_note(struct patience *patience, enum patience_phase phase, double seconds)
{
    if (seconds <= PATIENCE_ALL * patience_of(patience, phase))
        patience_expect(patience, phase, seconds);
}
