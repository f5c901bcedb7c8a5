/* Layers and losses that a program has added to those of the house. */
#include "base/memory.h"
#include "base/rows.h"
#include "nn/trial.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* ---- a layer: y = factor w x, with one w for all ---- */

struct stretch {
    double factor;
    char *note;
    uint64_t *marks; /* [mark_count] */
    size_t mark_count;
    char **names; /* [name_count] */
    size_t name_count;
};

static const struct option_row stretch_keys[] = {
    {"factor", "what each value is multiplied by, besides a weight", FIELD(struct stretch, factor), POSITIVE},
    {"note", "what it is for", FIELD(struct stretch, note), .optional = true},
    {"marks", "numbers to remember", NUMBERS(struct stretch, marks, mark_count), ANY_FROM(0), .optional = true},
    {"names", "texts to remember", TEXTS(struct stretch, names, name_count), .optional = true},
    {0},
};

static float scale_of(const struct layer *layer, const struct pass *pass)
{
    return (float)((const struct stretch *)layer->settings)->factor * layer_params(layer, pass, 0)[0];
}

static bool stretch_build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct stretch *stretch = layer->settings;
    if (stretch->factor > 100)
        return error_set(error, ERROR_USAGE, "a factor of %g is too much", stretch->factor);
    layer_add_weight(layer, table, "weight", 1, (size_t[]){1}, INIT_DEFAULT, 1, 1, 0);
    layer->out = layer->in;
    return true;
}

static void stretch_forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    for (size_t i = 0; i < pass->leaf->rows * layer->inputs; i++)
        y[i] = scale_of(layer, pass) * x[i];
}

static void stretch_backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                             const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    float sum = 0, factor = (float)((const struct stretch *)layer->settings)->factor;
    for (size_t i = 0; i < pass->leaf->rows * layer->inputs; i++) {
        sum += factor * x[i] * dy[i];
        if (dx)
            dx[i] = scale_of(layer, pass) * dy[i];
    }
    layer_gradient(layer, pass, 0)[0] = sum;
}

static const struct layer_class layer_stretch = {
    KIND_OF("stretch", "multiplies all values by one number", struct stretch, stretch_keys),
    .build = stretch_build,
    .forward = stretch_forward,
    .backward = stretch_backward,
    .needs_x = true,
};

static void check_layer_refused(const struct layer_class *class, const char *words)
{
    struct error error = {0};
    CU_ASSERT_FALSE(layer_register(class, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    if (!strstr(error.text, words))
        printf("\n    \"%s\" and not \"%s\"", error.text, words);
}

static void a_layer_is_added_unless_its_names_are_taken(void)
{
    struct option_row keys[] = {stretch_keys[0], {0}};
    struct layer_class clash = layer_stretch;
    struct error error = {0};
    clash.kind.name = "dense";
    check_layer_refused(&clash, "layer dense: there is one of this name already");
    clash.kind.name = "stretched";
    clash.kind.keys = keys;
    keys[0].name = "layer";
    check_layer_refused(&clash, "layer stretched: its key layer is called as one");
    CU_ASSERT_PTR_NULL(kind_find(&layer_registry, "stretched"));
    CU_ASSERT_TRUE(layer_register(&layer_stretch, &error));
    CU_ASSERT_PTR_EQUAL(kind_find(&layer_registry, "stretch"), &layer_stretch.kind);
    CU_ASSERT_PTR_EQUAL(kind_find(&layer_registry, "dense"), &layer_dense.kind);
}

static bool expand_nothing(struct model_builder *builder, const void *settings, struct error *error)
{
    (void)builder, (void)settings, (void)error;
    return true;
}

/* A key that is a list of sections. */
struct listed {
    struct layer_spec *layers;
    size_t count;
};

static const struct option_row listed_keys[] = {
    {"layers", "some layers", LIST(struct listed, layers, count), .keys = layer_rows},
    {0},
};

static void a_layer_that_lacks_what_it_must_have_is_refused(void)
{
    static const struct kind plain = {.name = "faulty", .help = "is not a layer"};
    static const struct kind listed = {
        .name = "faulty", .help = "has a list", .keys = listed_keys, .settings_bytes = sizeof(struct listed)};
    const struct layer_class *s = &layer_stretch;
    const struct {
        struct layer_class class;
        const char *words;
    } cases[] = {
        {{.kind = plain}, "layer faulty: it has neither build nor expand"},
        {{.kind = plain, .forward = s->forward, .backward = s->backward}, "it has neither build nor expand"},
        {{.kind = plain, .build = s->build, .expand = expand_nothing}, "it has expand, and what only an operation has"},
        {{.kind = plain, .expand = expand_nothing, .skip = SKIP_ENDS}, "it has expand, and what only an operation has"},
        {{.kind = listed, .build = s->build}, "a key is a list of sections, which only a layer with expand can have"},
        {{.kind = plain, .build = s->build, .forward = s->forward, .skip = SKIP_BEGINS},
         "it begins or ends a residual connection"},
        {{.kind = plain, .build = s->build, .backward = s->backward, .skip = SKIP_ENDS},
         "it begins or ends a residual connection"},
        {{.kind = plain, .build = s->build, .takes_tokens = true}, "it takes tokens, but has no forward"},
        {{.kind = plain, .build = s->build, .forward = s->forward, .needs_x = true}, "but has no backward"},
        {{.kind = plain,
          .build = s->build,
          .forward = s->forward,
          .backward = s->backward,
          .forward_rows = layer_dense.forward_rows},
         "forward_rows and backward_rows go together"},
        {{.kind = {.help = "nobody"}, .expand = expand_nothing}, "layer '': that cannot be a name"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_layer_refused(&cases[i].class, cases[i].words);
    CU_ASSERT_PTR_NULL(kind_find(&layer_registry, "faulty"));
    for (const struct kind *const *kind = layer_registry.kinds; *kind; kind++)
        CU_ASSERT_PTR_NULL(layer_fault((const struct layer_class *)*kind));
}

/* The settings of a composition are read where they are, lists of sections included. */
static void a_composition_may_have_a_list_of_sections(void)
{
    static const struct layer_class composition = {
        KIND_OF("composed", "a list", struct listed, listed_keys),
        .expand = expand_nothing,
    };
    struct error error = {0};
    CU_ASSERT_TRUE(layer_register(&composition, &error));
}

/* Two of them, one in a residual connection, between layers of the house. */
static void a_model_trains_with_layers_that_were_added(void)
{
    struct trial trial = {
        .spec = MODEL(DENSE(4), LAYER(stretch, .factor = 2), RESIDUAL(LAYER(stretch, .factor = 0.5)), DENSE(3)),
        .form = FEATURES(5, 3),
        .rows = 6};
    struct bench b;
    struct loss_sums sums, moved;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
    model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
    CU_ASSERT_STRING_EQUAL(b.model.table.tensors[2].name, "1.stretch.weight");
    CU_ASSERT_STRING_EQUAL(b.model.table.tensors[3].name, "2.residual.0.stretch.weight");
    for (size_t t = 0; t < b.model.table.length; t++) {
        size_t place = b.model.table.tensors[t].offset;
        float kept = b.params[place], h = 0x1p-10f;
        b.params[place] = kept + h;
        model_evaluate_leaf(&b.model, b.params, &moved, NULL);
        b.params[place] = kept - h;
        model_evaluate_leaf(&b.model, b.params, &sums, NULL);
        b.params[place] = kept;
        double slope = (moved.loss - sums.loss) / (2 * (double)h);
        CU_ASSERT_DOUBLE_EQUAL((double)b.gradient[place], slope, 1e-2 * (1 + (slope < 0 ? -slope : slope)));
    }
    bench_release(&b);
}

static void what_it_refuses_is_told_with_its_place(void)
{
    struct trial trial = {.spec = MODEL(DENSE(4), LAYER(stretch, .factor = 101)), .form = FEATURES(5, 4), .rows = 6};
    struct loss_spec loss = {.class = &loss_mean_squared_error};
    struct model model;
    struct error error = {0};
    CU_ASSERT_FALSE(model_describe(&model, &trial.spec, &loss, &trial.form, 6, 1, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "model: 1.stretch (stretch): a factor of 101 is too much");
}

/* The job that a model was made from may go. */
static void a_model_keeps_settings_of_its_own(void)
{
    char note[] = "before", *names[] = {note, note};
    uint64_t marks[] = {3, 5, 7};
    struct stretch settings = {.factor = 3,
                               .note = note,
                               .marks = marks,
                               .mark_count = COUNT(marks),
                               .names = names,
                               .name_count = COUNT(names)};
    struct trial trial = {.spec = {(struct layer_spec[]){{.class = &layer_stretch, .settings = &settings}}, 1},
                          .form = FEATURES(5, 5),
                          .rows = 2};
    struct bench b;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
    memset(note, 'x', sizeof note - 1);
    memset(marks, 0, sizeof marks);
    memset(names, 0, sizeof names);
    memset(&settings, 0, sizeof settings);
    const struct stretch *own = b.model.layers[0].settings;
    CU_ASSERT_EQUAL(own->factor, 3);
    CU_ASSERT_STRING_EQUAL(own->note, "before");
    CU_ASSERT_EQUAL(own->mark_count, 3);
    CU_ASSERT_EQUAL(own->name_count, 2);
    CU_ASSERT(own->names[0] != own->names[1] && !strcmp(own->names[0], "before") && !strcmp(own->names[1], "before"));
    CU_ASSERT_EQUAL(memcmp(own->marks, (uint64_t[]){3, 5, 7}, sizeof marks), 0);
    bench_release(&b);
}

/* ---- a loss of several outputs a term: the sum of (y - t)^2 over them, times a weight ---- */

struct bundle {
    double weight;
};

static const struct option_row bundle_keys[] = {
    {"weight", "of the squares", FIELD(struct bundle, weight), POSITIVE, DEFAULT("1")},
    {0},
};

static bool bundle_check(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                         struct error *error)
{
    (void)spec;
    return shape_count(out) % form->terms == 0 || error_set(error, ERROR_USAGE, "loss: no equal bundles");
}

static void bundle_terms(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n,
                         size_t width, float *outputs, bool gradient, struct loss_sums *sums)
{
    float weight = (float)((const struct bundle *)spec->settings)->weight;
    for (size_t i = 0; i < n * width; i++) {
        float difference = outputs[i] - leaf->targets[first_term + i / width];
        sums->loss += (double)(weight * (difference * difference));
        if (gradient)
            outputs[i] = weight * (2 * difference);
    }
    sums->terms += (double)n;
}

static const struct loss_class loss_bundle = {
    KIND_OF("bundle", "(y - t)^2 of several outputs for each target", struct bundle, bundle_keys),
    .check = bundle_check,
    .terms = bundle_terms,
};

static void check_loss_refused(const struct loss_class *class, const char *words)
{
    struct error error = {0};
    CU_ASSERT_FALSE(loss_register(class, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
}

static void a_loss_is_added_unless_its_names_are_taken(void)
{
    struct option_row keys[] = {bundle_keys[0], {0}};
    struct loss_class clash = loss_bundle;
    struct error error = {0};
    clash.kind.name = "huber";
    check_loss_refused(&clash, "loss huber: there is one of this name already");
    clash.kind.name = "bundled";
    clash.kind.keys = keys;
    keys[0].name = loss_rows[0].name;
    check_loss_refused(&clash, "loss bundled: its key");
    CU_ASSERT_TRUE(loss_register(&loss_bundle, &error));
    CU_ASSERT_PTR_EQUAL(kind_find(&loss_registry, "bundle"), &loss_bundle.kind);
}

static void a_loss_that_lacks_what_it_must_have_is_refused(void)
{
    struct loss_class faulty = {.kind = {.name = "faulty", .help = "is no loss"}, .check = bundle_check};
    check_loss_refused(&faulty, "loss faulty: it has neither point nor terms");
    faulty.terms = bundle_terms;
    faulty.point = loss_l1.point;
    check_loss_refused(&faulty, "loss faulty: it has point and terms");
    faulty.point = NULL;
    faulty.check = NULL;
    check_loss_refused(&faulty, "loss faulty: it has terms, but no check");
    faulty.check = bundle_check;
    faulty.kind.keys = listed_keys;
    faulty.kind.settings_bytes = sizeof(struct listed);
    check_loss_refused(&faulty, "loss faulty: the key layers is a list of sections");
    CU_ASSERT_PTR_NULL(kind_find(&loss_registry, "faulty"));
}

/* Two outputs for one target, or one output for each of two equal targets: the same numbers, whether the last layer is
 * made in tiles or, because terms need several of its positions, is not. */
static void a_term_of_several_outputs_gets_them_side_by_side(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(9), PLAIN(relu), DENSE(2)), .form = FEATURES(5, 1), .rows = 70},
        {.spec = MODEL(DENSE(4), DENSE(2)), .form = SEQUENCE(6, 3, 6), .rows = 3},
        {.spec = MODEL(DENSE(4), DENSE(1)), .form = SEQUENCE(6, 3, 3), .rows = 3},
        {.spec = MODEL(DENSE(4), PLAIN(tanh)), .form = FEATURES(5, 2), .rows = 3},
    };
    for (size_t i = 0; i < COUNT(trials); i++) {
        struct trial doubled = trials[i];
        struct bundle settings = {.weight = 1};
        struct bench b, expected;
        struct loss_sums sums, right;
        trials[i].loss = (struct loss_spec){.class = &loss_bundle, .settings = &settings};
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &trials[i]));
        settings.weight = 7; /* the model has its own */
        doubled.form.terms *= 2;
        CU_ASSERT_TRUE_FATAL(bench_init(&expected, &doubled));
        for (size_t t = 0; t < doubled.rows * doubled.form.terms; t++)
            expected.model.leaf.targets[t] = b.model.leaf.targets[t / 2];
        model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
        model_train_leaf(&expected.model, expected.params, 0, expected.gradient, &right, NULL);
        CU_ASSERT_EQUAL(sums.loss, right.loss);
        CU_ASSERT_EQUAL(2 * sums.terms, right.terms);
        CU_ASSERT_EQUAL(memcmp(b.gradient, expected.gradient, b.model.table.count * sizeof(float)), 0);
        bench_release(&b);
        bench_release(&expected);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a layer is added unless its names are taken", a_layer_is_added_unless_its_names_are_taken},
        {"a layer that lacks what it must have is refused", a_layer_that_lacks_what_it_must_have_is_refused},
        {"a composition may have a list of sections", a_composition_may_have_a_list_of_sections},
        {"a model trains with layers that were added", a_model_trains_with_layers_that_were_added},
        {"what it refuses is told with its place", what_it_refuses_is_told_with_its_place},
        {"a model keeps settings of its own", a_model_keeps_settings_of_its_own},
        {"a loss is added unless its names are taken", a_loss_is_added_unless_its_names_are_taken},
        {"a loss that lacks what it must have is refused", a_loss_that_lacks_what_it_must_have_is_refused},
        {"a term of several outputs gets them side by side", a_term_of_several_outputs_gets_them_side_by_side},
        {NULL, NULL},
    };
    return test_run("nn/own_kinds", cases);
}
