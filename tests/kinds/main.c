/* lockstep with a data format, a layer, a loss and an optimizer of its own: how a program adds kinds. With KINDS_TWICE
 * in the environment it tries to add one of them twice. */
#include "base/registry.h"
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
    bool ok = registry_add(&dataset_registry, &dataset_wave.kind, &error) &&
              registry_add(&layer_registry, &layer_stretch.kind, &error) &&
              registry_add(&loss_registry, &loss_log_cosh.kind, &error) &&
              registry_add(&optimizer_registry, &optimizer_sign_momentum.kind, &error);
    if (ok && getenv("KINDS_TWICE"))
        ok = registry_add(&layer_registry, &layer_stretch.kind, &error);
    return ok ? command_main(argc, argv) : command_fail(&error);
}
