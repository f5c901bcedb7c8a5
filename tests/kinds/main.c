/* lockstep with a data format, a layer, a loss and an optimizer of its own: how a program adds kinds. With KINDS_TWICE
 * in the environment it tries to add one of them twice. */
#include "cli/command.h"
#include "data/dataset.h"
#include "nn/layer.h"
#include "nn/loss.h"
#include "optim/optimizer.h"

#include <stdlib.h>

extern const struct dataset_class dataset_wave;
extern const struct layer_class layer_stretch;
extern const struct loss_class loss_log_cosh;
extern const struct optimizer_class optimizer_sign_momentum;

int main(int argc, char **argv)
{
    struct error error;
    bool ok = dataset_register(&dataset_wave, &error) && layer_register(&layer_stretch, &error) &&
              loss_register(&loss_log_cosh, &error) && optimizer_register(&optimizer_sign_momentum, &error);
    if (ok && getenv("KINDS_TWICE"))
        ok = layer_register(&layer_stretch, &error);
    return ok ? command_main(argc, argv) : command_fail(&error);
}
