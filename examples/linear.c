// Score function, losses and templates (chapter 2.5): a linear classifier, f(x, W) = W x + b, on
// CIFAR-10, then the smallest network.
//
// A picture is a row of numbers x, each class has a column of W, and the score of a class is the product
// of the two: how well the picture fits the class's template. Two losses say how good scores are:
//
//   hinge:    sum over wrong classes j of max(0, s_j - s_right + 1)      (a support vector machine)
//   softmax:  -log(exp(s_right) / sum over j of exp(s_j))
//
// both with a penalty lambda * sum(W^2), without which W could grow for ever. Sizes and rates are those
// of Stanford's course CS231n, assignment 1: pixels less their mean, batches of 200, plain SGD.
//
//   linear [FOLDER [SCALE [SEED]]]    writes svm.png, softmax.png; SCALE 0.1 takes a tenth of the steps
//
// Without CIFAR-10 (set CAJAL_DATA to its folder) it takes the digits that the library finds or draws.
#include <cajal.h>
#include <stdlib.h>

enum { BATCH = 200 };

typedef struct chapter {
    cj_dataset *train, *validation, *test;
    int64_t height, width, channels, pixels;
    double *mean, *ones; // of each pixel over the training images; variances that change nothing
    double scale;        // of the numbers of steps
    const char *folder;
    uint64_t seed; // of first weights and the order of pictures
} chapter;

// ---- The hinge loss of several classes (Weston and Watkins 1999), a loss of this program's own ----

static cj_symbol *hinge(const void *settings, cj_symbol *label, cj_symbol *scores)
{
    (void)settings;
    const int last[] = {-1};
    cj_symbol *right = cj_op_multiply(cj_op_one_hot(label, 10), scores);
    right = cj_op_expand_dims(cj_op_reduce_sum(right, last, 1), -1); // s_right, (batch, 1)
    cj_symbol *margins = cj_op_add(cj_op_subtract(scores, right),
                                   cj_symbol_scalar(CJ_F32, 1)); // 1 for the right one
    return cj_op_subtract(cj_op_reduce_sum(cj_op_relu(margins), last, 1),
                          cj_symbol_scalar(CJ_F32, 1));
}

static const cj_custom_loss_class hinge_class =
    CJ_CUSTOM_LOSS("multiclass_hinge", .targets = CJ_TARGETS_LABELS, .values = hinge);

// ---- The data ----

static cj_status load(chapter *c)
{
    cj_dataset *all;
    if (cj_load_dataset("cifar10", &all, &c->test) != CJ_OK)
        CJ_TRY(cj_load_dataset("auto", &all, &c->test));
    const int64_t count = cj_dataset_count(all), held = count / 50; // 49000 and 1000
    CJ_TRY(cj_dataset_slice(all, 0, count - held, &c->train));
    CJ_TRY(cj_dataset_slice(all, count - held, held, &c->validation));
    cj_release(all);
    const cj_shape *shape = cj_tensor_shape(cj_dataset_x(c->train, 0));
    c->height = shape->dims[1], c->width = shape->dims[2], c->channels = shape->dims[3];
    c->pixels = c->height * c->width * c->channels;
    return CJ_OK;
}

static cj_status find_mean(chapter *c)
{
    const uint8_t *bytes = cj_tensor_data(cj_dataset_x(c->train, 0));
    const int64_t count = cj_dataset_count(c->train);
    c->mean = calloc((size_t)c->pixels, sizeof *c->mean);
    c->ones = calloc((size_t)c->pixels, sizeof *c->ones);
    if (!c->mean || !c->ones)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for the mean image");
    for (int64_t i = 0; i < count * c->pixels; i++)
        c->mean[i % c->pixels] += bytes[i];
    for (int64_t p = 0; p < c->pixels; p++) {
        c->mean[p] /= (double)count;
        c->ones[p] = 1;
    }
    return CJ_OK;
}

// ---- Models ----

static cj_layer *centre(const chapter *c)
{
    return cj_normalization(.mean = {c->mean, c->pixels}, .variance = {c->ones, c->pixels},
                            .name = "centre");
}

// f(x, W) = W x + b, with a small W at first and the penalty lambda * sum(W^2).
static cj_model *linear(const chapter *c, double lambda)
{
    char penalty[48];
    snprintf(penalty, sizeof penalty, "l2(%.9g)", lambda);
    return cj_sequential(cj_input(c->height, c->width, c->channels), cj_flatten(), centre(c),
                         cj_dense(10, .kernel_initializer = "random_normal(stddev=0.0001)",
                                  .kernel_regularizer = penalty, .name = "scores"));
}

// A hidden layer between: max(0, W1 x + b1), then W2 h + b2.
static cj_model *two_layers(const chapter *c, int64_t hidden, double lambda)
{
    char penalty[48];
    snprintf(penalty, sizeof penalty, "l2(%.9g)", lambda);
    return cj_sequential(cj_input(c->height, c->width, c->channels), cj_flatten(), centre(c),
                         cj_dense(hidden, .activation = "relu",
                                  .kernel_initializer = "random_normal(stddev=0.0001)",
                                  .kernel_regularizer = penalty),
                         cj_dense(10, .kernel_initializer = "random_normal(stddev=0.0001)",
                                  .kernel_regularizer = penalty, .name = "scores"));
}

static cj_status accuracy_of(cj_model *model, cj_dataset *data, double *accuracy)
{
    cj_results *results;
    CJ_TRY(cj_evaluate(model, data, &results, .batch_size = 1000));
    *accuracy = cj_results_value(results, "accuracy");
    cj_release(results);
    return CJ_OK;
}

static double decay(int epoch, double rate, void *of)
{
    return epoch > 0 ? rate * *(double *)of : rate;
}

typedef struct recipe {
    const char *name, *loss;
    double rate, decay;
    int epochs, steps; // of an epoch
} recipe;

static cj_status train(const chapter *c, cj_model *model, const recipe *r)
{
    double accuracy[3], factor = r->decay;
    const int64_t wanted = (int64_t)(c->scale * r->steps), steps = wanted > 1 ? wanted : 1;
    CJ_TRY(cj_model_set_seed(model, c->seed));
    CJ_TRY(
        cj_compile(model, .optimizer = cj_sgd(r->rate), .loss = r->loss, .metrics = {"accuracy"}));
    CJ_TRY(cj_fit(model, c->train, .epochs = r->epochs, .batch_size = BATCH,
                  .steps_per_epoch = steps,
                  .callbacks = {cj_learning_rate_scheduler(decay, &factor)}));
    cj_dataset *const sets[] = {c->train, c->validation, c->test};
    for (int i = 0; i < 3; i++)
        CJ_TRY(accuracy_of(model, sets[i], &accuracy[i]));
    printf("%-44s training %.3f, validation %.3f, test %.3f\n", r->name, accuracy[0], accuracy[1],
           accuracy[2]);
    return CJ_OK;
}

// ---- Templates ----

// The columns of W as pictures: each is stretched to the whole range of bytes.
static cj_status draw_templates(const chapter *c, cj_model *model, const char *name)
{
    char path[4096];
    const cj_tensor *kernel =
        cj_variable_value(cj_layer_variable(cj_model_find_layer(model, "scores"), 0));
    const float *w = cj_tensor_data(kernel); // (pixels, 10)
    cj_tensor *images, *picture;
    CJ_TRY(cj_tensor_new(CJ_U8, CJ_SHAPE(10, c->height, c->width, c->channels), &images));
    uint8_t *bytes = cj_tensor_data(images);
    for (int64_t k = 0; k < 10; k++) {
        float low = w[k], high = w[k];
        for (int64_t p = 0; p < c->pixels; p++) {
            low = w[p * 10 + k] < low ? w[p * 10 + k] : low;
            high = w[p * 10 + k] > high ? w[p * 10 + k] : high;
        }
        for (int64_t p = 0; p < c->pixels; p++)
            bytes[k * c->pixels + p] =
                (uint8_t)(255 * (w[p * 10 + k] - low) / (high > low ? high - low : 1));
    }
    CJ_TRY(cj_image_grid(images, 5, &picture));
    cj_tensor *large;
    const cj_shape *shape = cj_tensor_shape(picture);
    CJ_TRY(cj_resize_image(picture, shape->dims[0] * 3, shape->dims[1] * 3, &large));
    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    CJ_TRY(cj_save_png(large, path));
    printf("%s: the ten templates\n", path);
    cj_release(large);
    cj_release(picture);
    cj_release(images);
    return CJ_OK;
}

// ---- The chapter ----

// The ten scores of one test picture, and what both losses say to them.
static cj_status show_scores(const chapter *c, cj_model *model)
{
    static const char *const names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                        "dog",      "frog",       "horse", "ship", "truck"};
    cj_tensor *image, *scores;
    CJ_TRY(cj_tensor_slice(cj_dataset_x(c->test, 0), 0, 0, 1, &image));
    const int64_t label = (int64_t)cj_tensor_get(cj_dataset_y(c->test, 0), (int64_t[]){0});
    CJ_TRY(cj_explain(model, (cj_tensor *[]){image}, stdout, .layer = "scores", .every = true,
                      .max_rows = 3));
    CJ_TRY(cj_predict(model, image, &scores));
    CJ_TRY(cj_explain_loss(scores, stdout, .label = label,
                           .class_names = c->channels == 3 ? names : NULL, .class_count = 10));
    cj_release(scores);
    cj_release(image);
    return CJ_OK;
}

static cj_status run(const char *folder, double scale, uint64_t seed)
{
    chapter c = {.folder = folder, .scale = scale, .seed = seed};
    CJ_TRY(cj_register_loss(&hinge_class));
    CJ_TRY(load(&c));
    CJ_TRY(find_mean(&c));
    printf("%lld training, %lld validation, %lld test pictures of %lld numbers\n\n",
           (long long)cj_dataset_count(c.train), (long long)cj_dataset_count(c.validation),
           (long long)cj_dataset_count(c.test), (long long)c.pixels);

    // The course writes the penalty lambda / 2 * sum(W^2) with 2.5e4: here that is 1.25e4.
    static const char *const cross_entropy = "sparse_categorical_crossentropy(from_logits=true)";
    cj_model *svm = linear(&c, 1.25e4), *softmax = linear(&c, 1.25e4), *tuned = linear(&c, 3e3);
    const recipe raw[] = {{"hinge, rate 1e-7, lambda 1.25e4", "multiclass_hinge", 1e-7, 1, 6, 250},
                          {"softmax, rate 1e-7, lambda 1.25e4", cross_entropy, 1e-7, 1, 6, 250}};
    const recipe better = {
        "hinge, lambda 3e3, twice as long, falling rate", "multiclass_hinge", 2e-7, 0.8, 12, 250};
    CJ_TRY(train(&c, svm, &raw[0]));
    CJ_TRY(train(&c, softmax, &raw[1]));
    CJ_TRY(train(&c, tuned, &better));
    CJ_TRY(draw_templates(&c, svm, "svm.png"));
    CJ_TRY(draw_templates(&c, softmax, "softmax.png"));

    cj_model *net = two_layers(&c, 200, 0.25);
    const recipe deep = {
        "two layers, 200 hidden, rate 1e-3, lambda 0.25", cross_entropy, 1e-3, 0.95, 15, 245};
    CJ_TRY(train(&c, net, &deep));

    printf("\nThe first test picture:\n\n");
    CJ_TRY(show_scores(&c, svm));

    cj_release(svm), cj_release(softmax), cj_release(tuned), cj_release(net);
    cj_release(c.train), cj_release(c.validation), cj_release(c.test);
    free(c.mean), free(c.ones);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    const bool quick = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look
    const double scale = argc > 2 ? strtod(argv[2], NULL) : quick ? 0.01 : 1;
    return cj_report(
        run(argc > 1 ? argv[1] : ".", scale, argc > 3 ? strtoull(argv[3], NULL, 10) : 0));
}
