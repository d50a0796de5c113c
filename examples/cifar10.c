// CIFAR-10 to 94 % in minutes: the recipe of K. Jordan's "94% on CIFAR-10 in 3.29 Seconds on a Single
// GPU" (2024, arXiv:2404.00498), whose parts are
//
// - a first convolution of 2 x 2 that whitens patches: its filters, fixed, are the eigenvectors of the
//   patches' covariance over the roots of their eigenvalues, each with both signs;
// - three blocks: convolution, pool, normalization, GELU, convolution, normalization, GELU, of 64, 256
//   and 256 channels, whose filters begin as the identity where they can (dirac);
// - biases after the normalizations that learn 64 times as fast as the weights;
// - images shifted by up to two pixels, and mirrored in every other epoch, so that two epochs show each
//   image both ways;
// - smoothed labels, and scores divided by 9;
// - SGD with Nesterov's momentum, by a rate that rises for 23 % of the run and falls for the rest;
// - Lookahead: each five steps weights go back to an average of what they were, less and less so;
// - a test on six views of each image, mirrored and shifted by one pixel.
//
//   cifar10 [EPOCHS [FILE [BATCH [DTYPE [resume]]]]]    16 epochs, cifar10.safetensors, 500, float32
//
// FILE is saved after each epoch, and FILE.csv has a row for each; with "resume" a run goes on from FILE,
// to the same bits. With CAJAL_EXAMPLE_SAMPLES=N in the environment a run is on N samples. Without
// CIFAR-10 (set CAJAL_DATA to its folder) it takes the digits that the library finds or draws.
#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATCH = 2, MOST_PATCH = PATCH * PATCH * 3, SHIFT = 2, CLASSES = 10, EVERY = 5 };

typedef struct settings {
    int epochs;
    const char *file, *dtype;
    int64_t batch;
    bool resumes;
} settings;

// ---- A bias with a rate of its own: what is added is `times` the weight, which learns as others do, so
// that the bias learns times * times as fast. ----

typedef struct shift {
    double times;
} shift;

static const shift shift_defaults = {.times = 1};
static const cj_setting shift_settings[] = {CJ_SETTING(shift, times)};

static cj_status build_shift(cj_layer *layer, const void *given, const cj_shape *inputs, int count)
{
    (void)given;
    (void)count;
    return cj_add_weight(layer, "bias", CJ_SHAPE(inputs[0].dims[inputs[0].rank - 1]), "zeros", NULL,
                         true);
}

static cj_symbol *call_shift(const cj_layer_call *c)
{
    cj_symbol *times = cj_symbol_scalar(CJ_F32, ((const shift *)c->settings)->times);
    return cj_op_add(c->inputs[0], cj_op_multiply(c->weights[0], times));
}

static const cj_custom_layer_class shift_class = CJ_CUSTOM_LAYER(
    "Shift", CJ_SETTINGS(shift_settings, shift_defaults), .build = build_shift, .call = call_shift);

// ---- The network ----

// Pixels are brought to mean 0 and deviation 1, as a data set has them on the whole: CIFAR-10 or digits.
typedef struct scale {
    double mean, deviation;
} scale;

static scale scale_of(int64_t channels)
{
    return channels == 3 ? (scale){120.7, 64} : (scale){33.3, 78};
}

static cj_layer *add(double times)
{
    return cj_custom_layer(&shift_class, &(shift){times}, NULL);
}

static cj_layer *conv(int64_t filters)
{
    return cj_conv2d(filters, {3, 3}, .padding = "same", .use_bias = false,
                     .kernel_initializer =
                         "variance_scaling(scale=0.33333, mode=fan_in, distribution=uniform)");
}

static cj_layer *normalize(void)
{
    return cj_batch_normalization(.momentum = 0.6, .epsilon = 1e-12, .center = false,
                                  .scale = false);
}

static cj_model *make_model(const cj_shape *images)
{
    const double times = 8; // 64 times the rate
    const int64_t patch = PATCH * PATCH * images->dims[3];
    const scale pixels = scale_of(images->dims[3]);
    const cj_input_args input = {CJ_INPUT_DEFAULTS,
                                 .shape = {images->dims[1], images->dims[2], images->dims[3]},
                                 .dtype = "uint8"};
    return cj_sequential(
        cj_input_new(&input), cj_rescaling(1 / pixels.deviation, -pixels.mean / pixels.deviation),
        cj_conv2d(2 * patch, {PATCH, PATCH}, .use_bias = false, .trainable = false,
                  .name = "whiten"),
        add(1), cj_activation("gelu"), // 31 x 31
        conv(64), cj_max_pooling2d({2, 2}), normalize(), add(times),
        cj_activation("gelu"),                                    // 15 x 15
        conv(64), normalize(), add(times), cj_activation("gelu"), //
        conv(256), cj_max_pooling2d({2, 2}), normalize(), add(times),
        cj_activation("gelu"),                                     // 7 x 7
        conv(256), normalize(), add(times), cj_activation("gelu"), //
        conv(256), cj_max_pooling2d({2, 2}), normalize(), add(times),
        cj_activation("gelu"), // 3 x 3
        conv(256), normalize(), add(times), cj_activation("gelu"), cj_max_pooling2d({3, 3}),
        cj_flatten(),
        cj_dense(CLASSES, .use_bias = false,
                 .kernel_initializer =
                     "variance_scaling(scale=0.33333, mode=fan_in, distribution=uniform)"),
        cj_rescaling(1.0 / 9));
}

// ---- First weights ----

// The eigenvectors of a symmetric matrix in the columns of `vectors`, its diagonal becomes the
// eigenvalues: Jacobi's rotations, each of which makes one pair of elements 0.
static void find_eigenvectors(double a[][MOST_PATCH], double vectors[][MOST_PATCH], int64_t n)
{
    for (int64_t i = 0; i < n * n; i++)
        vectors[i / n][i % n] = i / n == i % n;
    for (int64_t turn = 0; turn < 30 * n * n; turn++) {
        const int64_t p = turn / n % n, q = turn % n;
        if (p >= q || fabs(a[p][q]) < 1e-300)
            continue;
        const double slope = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const double t = (slope < 0 ? -1 : 1) / (fabs(slope) + sqrt(slope * slope + 1));
        const double c = 1 / sqrt(t * t + 1), s = t * c;
        for (int64_t i = 0; i < n; i++) {
            const double x = a[i][p], y = a[i][q];
            a[i][p] = c * x - s * y, a[i][q] = s * x + c * y;
        }
        for (int64_t i = 0; i < n; i++) {
            const double x = a[p][i], y = a[q][i], v = vectors[i][p], w = vectors[i][q];
            a[p][i] = c * x - s * y, a[q][i] = s * x + c * y;
            vectors[i][p] = c * v - s * w, vectors[i][q] = s * v + c * w;
        }
    }
}

// The covariance of the patches of some images, as the network sees their pixels.
static void find_covariance(cj_dataset *data, double covariance[][MOST_PATCH])
{
    const int64_t count = cj_dataset_count(data) < 5000 ? cj_dataset_count(data) : 5000;
    const cj_shape *shape = cj_tensor_shape(cj_dataset_x(data, 0));
    const int64_t height = shape->dims[1], width = shape->dims[2], channels = shape->dims[3];
    const int64_t across = PATCH * channels, n = PATCH * across;
    const scale pixels = scale_of(channels);
    const uint8_t *bytes = cj_tensor_data(cj_dataset_x(data, 0));
    for (int64_t at = 0; at < count * (height - 1) * (width - 1); at++) {
        const int64_t column = at % (width - 1), row = at / (width - 1) % (height - 1),
                      image = at / (width - 1) / (height - 1);
        double patch[MOST_PATCH];
        for (int64_t i = 0; i < n; i++)
            patch[i] = (bytes[((image * height + row + i / across) * width + column) * channels +
                              i % across] -
                        pixels.mean) /
                       pixels.deviation;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                covariance[i][j] += patch[i] * patch[j];
    }
    for (int64_t i = 0; i < n * n; i++)
        covariance[i / n][i % n] /= (double)(count * (height - 1) * (width - 1));
}

static void whiten(cj_model *model, cj_dataset *data)
{
    const double tiny = 5e-4;
    double covariance[MOST_PATCH][MOST_PATCH] = {{0}}, vectors[MOST_PATCH][MOST_PATCH];
    const int64_t channels = cj_tensor_shape(cj_dataset_x(data, 0))->dims[3];
    const int64_t n = PATCH * PATCH * channels;
    find_covariance(data, covariance);
    find_eigenvectors(covariance, vectors, n);
    float *kernel = cj_tensor_data(
        cj_variable_value(cj_layer_variable(cj_model_find_layer(model, "whiten"), 0)));
    for (int64_t i = 0; i < n; i++)
        for (int64_t o = 0; o < n; o++) {
            kernel[i * 2 * n + o] = (float)(vectors[i][o] / sqrt(covariance[o][o] + tiny));
            kernel[i * 2 * n + n + o] = -kernel[i * 2 * n + o];
        }
}

// Filter i of a convolution lets channel i pass as it is.
static void begin_as_identity(cj_layer *layer)
{
    cj_tensor *kernel = cj_variable_value(cj_layer_variable(layer, 0));
    const int64_t inputs = cj_tensor_shape(kernel)->dims[2],
                  filters = cj_tensor_shape(kernel)->dims[3];
    float *values = cj_tensor_data(kernel);
    for (int64_t at = 0; at < 9 * inputs; at++)
        for (int64_t o = 0; o < inputs && o < filters; o++)
            values[at * filters + o] = at == 4 * inputs + o;
}

// ---- Images ----

typedef struct views {
    int64_t height, width, channels;
    bool mirrored;  // for tests: all of them,
    int down, side; // and shifted so far
    bool random;    // for training
} views;

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

// Beside an image lie its reflections.
static int64_t reflect(int64_t at, int64_t length)
{
    return at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at;
}

static cj_status view(void *context, const cj_sample_map *sample)
{
    const views *v = context;
    const uint8_t *from = sample->x[0];
    uint8_t *to = sample->to_x[0];
    const uint64_t fixed = mix((uint64_t)sample->index * 2 + 1);
    const uint64_t drawn = mix(fixed + (sample->pass + 1) * UINT64_C(0x9e3779b97f4a7c15));
    const bool mirrored = v->random ? ((fixed >> 8) + sample->pass) % 2 : v->mirrored;
    const int64_t down = v->random ? (int64_t)((drawn >> 8) % (2 * SHIFT + 1)) - SHIFT : v->down;
    const int64_t side = v->random ? (int64_t)((drawn >> 32) % (2 * SHIFT + 1)) - SHIFT : v->side;
    for (int64_t y = 0; y < v->height; y++)
        for (int64_t x = 0; x < v->width; x++) {
            const int64_t column = mirrored ? v->width - 1 - x : x;
            const int64_t at =
                reflect(y + down, v->height) * v->width + reflect(column + side, v->width);
            for (int64_t c = 0; c < v->channels; c++)
                *to++ = from[at * v->channels + c];
        }
    for (int class = 0; class < CLASSES; class ++)
        ((float *)sample->to_y[0])[class] = class == *(const uint8_t *)sample->y[0];
    return CJ_OK;
}

static cj_dataset *look(cj_dataset *data, views v)
{
    const cj_shape *shape = cj_tensor_shape(cj_dataset_x(data, 0));
    views *context = malloc(sizeof *context);
    if (!context)
        return NULL;
    v.height = shape->dims[1], v.width = shape->dims[2], v.channels = shape->dims[3];
    *context = v;
    return cj_dataset_map(data, .call = view, .context = context, .free = free,
                          .x = {{CJ_U8, CJ_SHAPE(v.height, v.width, v.channels)}}, .x_count = 1,
                          .y = {{CJ_F32, CJ_SHAPE(CLASSES)}}, .y_count = 1);
}

// ---- Lookahead ----

typedef struct lookahead {
    float *average; // of all variables, one after another
    int64_t count;
} lookahead;

// Goes over all variables: copies them to the average, or moves the average towards them by `share` and
// them to it.
static void visit(lookahead *l, cj_model *model, double share)
{
    float *average = l->average;
    const cj_layer *layer = cj_model_layer(model);
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        cj_tensor *tensor = cj_variable_value(cj_layer_variable(layer, i));
        const int64_t count = cj_tensor_count(tensor);
        float *values = cj_tensor_data(tensor);
        if (cj_tensor_dtype(tensor) != CJ_F32)
            continue;
        for (int64_t j = 0; j < count; j++) {
            average[j] =
                share < 0 ? values[j] : average[j] + (float)share * (values[j] - average[j]);
            values[j] = average[j];
        }
        average += count;
    }
}

static cj_status begin(void *self, cj_model *model, cj_logs *logs)
{
    lookahead *l = self;
    const cj_layer *layer = cj_model_layer(model);
    (void)logs;
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        l->count += cj_tensor_count(cj_variable_value(cj_layer_variable(layer, i)));
    l->average = malloc((size_t)l->count * sizeof *l->average);
    if (!l->average)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for the average of the weights");
    visit(l, model, -1);
    return CJ_OK;
}

// An epoch ends with such a step as well, so that what is saved then is all that a run goes on with.
static cj_status step(void *self, cj_model *model, cj_logs *logs)
{
    const int64_t done = logs->epoch * logs->batches + logs->batch + 1;
    const double part = (double)done / (double)(logs->epochs * logs->batches);
    const bool last = logs->batch + 1 == logs->batches;
    if (done % EVERY == 0 || last)
        visit(self, model, 1 - pow(0.95, EVERY) * pow(part, 3));
    return CJ_OK;
}

// ---- The run ----

// The share of the test images whose class has the greatest sum of scores over six views.
static cj_status test_views(cj_model *model, cj_dataset *test, double *accuracy)
{
    static const views six[] = {
        {.mirrored = false},      {.mirrored = true},
        {.down = 1, .side = 1},   {.mirrored = true, .down = 1, .side = 1},
        {.down = -1, .side = -1}, {.mirrored = true, .down = -1, .side = -1}};
    const int64_t count = cj_dataset_count(test);
    const uint8_t *labels = cj_tensor_data(cj_dataset_y(test, 0));
    double *sums = calloc((size_t)(count * CLASSES), sizeof *sums);
    cj_status status = sums ? CJ_OK : cj_fail(CJ_OUT_OF_MEMORY, "no memory for scores");
    for (int v = 0; v < 6 && status == CJ_OK; v++) {
        cj_tensor *scores = NULL;
        cj_dataset *seen = cj_take(look(test, six[v]));
        status = cj_predict_data(model, seen, &scores, .batch_size = 500);
        for (int64_t i = 0; status == CJ_OK && i < count * CLASSES; i++)
            sums[i] += (v < 2 ? 2 : 1) * (double)((const float *)cj_tensor_data(scores))[i];
        cj_release(scores);
        cj_release(seen);
    }
    int64_t right = 0;
    for (int64_t i = 0; status == CJ_OK && i < count; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            best = sums[i * CLASSES + c] > sums[i * CLASSES + best] ? c : best;
        right += best == labels[i];
    }
    *accuracy = (double)right / (double)count;
    free(sums);
    return status;
}

static cj_status load(cj_dataset **train, cj_dataset **test)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES");
    const int64_t most = limit ? strtoll(limit, NULL, 10) : INT64_MAX;
    if (cj_load_dataset("cifar10", train, test) != CJ_OK)
        CJ_TRY(cj_load_dataset("auto", train, test));
    for (int i = 0; i < 2; i++) {
        cj_dataset **data = i == 0 ? train : test, *few = NULL;
        if (most > 0 && most < cj_dataset_count(*data)) {
            few = cj_take(cj_dataset_take(
                cj_dataset_shuffle(*data, .reshuffle_each_iteration = false), most));
            CJ_TRY(cj_dataset_load(few, data));
            cj_release(few);
        }
        *data = cj_take(*data);
    }
    return CJ_OK;
}

static cj_status compile(cj_model *model, const settings *s, int64_t steps)
{
    // With momentum m a gradient counts 1 / (1 - m) times in the end, and by Nesterov's rule once more.
    const double momentum = 0.85, counted = 1024 * (1 + 1 / (1 - momentum));
    const double rate = 11.5 / counted * (double)s->batch;
    const double decay = 0.0153 / 11.5 / (1 - momentum); // apart from the momentum
    const double up = floor(0.23 * (double)steps);
    char schedule[256];
    snprintf(
        schedule, sizeof schedule,
        "polynomial_decay(%.6g, %.0f, %.6g, linear_warmup_steps=%.0f, linear_warmup_start=%.6g)",
        rate, (double)steps - up, 0.07 * rate, up, 0.2 * rate);
    return cj_compile(model,
                      .optimizer =
                          cj_sgd(.momentum = momentum, .nesterov = true, .weight_decay = decay,
                                 .learning_rate_schedule = schedule),
                      .loss = "categorical_crossentropy(from_logits=true, label_smoothing=0.2)",
                      .metrics = {"accuracy"});
}

static cj_status train(const settings *s, cj_dataset *train, cj_dataset *test, cj_model *model)
{
    static const cj_callback_methods methods = {
        .size = sizeof methods, .name = "Lookahead", .train_begin = begin, .batch_end = step};
    lookahead l = {NULL, 0};
    char log[4096];
    cj_dataset *shown = cj_take(look(train, (views){.random = true}));
    cj_dataset *plain = cj_take(look(test, (views){.random = false}));
    snprintf(log, sizeof log, "%s.csv", s->file);
    const cj_status status =
        cj_fit(model, shown, .epochs = s->epochs, .batch_size = s->batch, .verbose = CJ_LINES,
               .validation_data = plain, .validation_batch_size = 500,
               .resume = s->resumes ? s->file : NULL,
               .callbacks = {cj_callback_new(&methods, &l), cj_csv_logger(log),
                             cj_model_checkpoint(s->file)});
    cj_release(shown);
    cj_release(plain);
    free(l.average);
    return status;
}

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// The network before its first step.
static cj_status begin_model(const settings *s, cj_dataset *data, cj_model **model)
{
    *model = make_model(cj_tensor_shape(cj_dataset_x(data, 0)));
    if (!*model)
        return cj_error_status();
    CJ_TRY(cj_set_dtype_policy(cj_model_layer(*model), s->dtype));
    whiten(*model, data);
    for (int i = 0; i < cj_model_layer_count(*model); i++) {
        cj_layer *layer = cj_model_layer_at(*model, i);
        if (strcmp(cj_layer_class(layer), "Conv2D") == 0 &&
            strcmp(cj_layer_name(layer), "whiten") != 0)
            begin_as_identity(layer);
    }
    return compile(*model, s, (cj_dataset_count(data) + s->batch - 1) / s->batch * s->epochs);
}

static cj_status run(const settings *s)
{
    cj_dataset *data, *test;
    cj_model *model = NULL;
    double accuracy = 0;
    CJ_TRY(cj_register_layer(&shift_class));
    CJ_TRY(load(&data, &test));
    const double start = now();
    if (s->resumes && !(model = cj_load(s->file)))
        return cj_error_status();
    if (!s->resumes)
        CJ_TRY(begin_model(s, data, &model));
    CJ_TRY(train(s, data, test, model));
    printf("Trained in %.1f minutes.\n", (now() - start) / 60);
    CJ_TRY(test_views(model, test, &accuracy));
    printf("Right on six views of each test image: %.4f; %.1f minutes in all.\n", accuracy,
           (now() - start) / 60);
    cj_release(model);
    cj_release(data);
    cj_release(test);
    return CJ_OK;
}

int main(int count, char **arguments)
{
    settings s = {16, "cifar10.safetensors", "float32", 500, count > 5};
    if (count > 1)
        s.epochs = atoi(arguments[1]);
    if (count > 2)
        s.file = arguments[2];
    if (count > 3)
        s.batch = atoi(arguments[3]);
    if (count > 4)
        s.dtype = arguments[4];
    if (s.epochs < 1 || s.batch < 1) {
        fputs("cifar10 [EPOCHS [FILE [BATCH [DTYPE [resume]]]]]: at least one epoch, and one image "
              "a batch\n",
              stderr);
        return 2;
    }
    return cj_report(run(&s));
}
