/**
 * @file streams.h
 * Data sets whose samples are made or read when they are needed, and chains of them.
 *
 * A data set from a function reads any sample by its number; stages change what comes out: map,
 * augment, shuffle, take, skip, repeat, concatenate, zip, cache, batch, prefetch. Each gives a new data set
 * over the one before, so that
 *
 *     cj_dataset *photos = cj_dataset_from(.count = 10000, .read = read_photo, .context = list,
 *                                          .x = {{CJ_U8, CJ_SHAPE(64, 64, 3)}}, .y = {{.dtype = CJ_I32}});
 *     cj_dataset *data = cj_dataset_cache(cj_dataset_map(photos, .call = brighten), 1 << 30);
 *     CJ_TRY(cj_fit(model, data, .epochs = 10));
 *
 * is what `tf.data` and PyTorch's `Dataset` are for. cj_fit(), cj_evaluate() and cj_predict_data()
 * take such a data set as any other. While a step runs, threads read the batches after it: a step
 * waits only where reading takes longer than training. cj_data_wait() and the last line of an epoch
 * say how long that was.
 *
 * A sample depends on its number and on the *pass*, the number of the epoch, and on nothing else.
 * So the same bits come out for any number of threads, and a run that is resumed in the midst of an
 * epoch has the bits of one that never stopped. Functions of a program's own must keep to it: what
 * is drawn by chance is drawn from `index` and `pass`.
 *
 * The tensors of such a data set are nowhere: cj_dataset_x() and its like give NULL and a sentence.
 * cj_dataset_input() says what a sample is, and cj_dataset_load() reads all into memory.
 * Constructors take a data set over as all builders do (base.h): it is released with the last one
 * that was built from it. NULL is passed on.
 */
#ifndef CAJAL_STREAMS_H
#define CAJAL_STREAMS_H

#include <cajal/data.h>
#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an input or a target of one sample is: a scalar has a shape of rank 0. */
typedef struct cj_part {
    cj_dtype dtype; ///< any but CJ_STRING
    cj_shape shape; ///< without the axis of samples
} cj_part;

/** One sample to be read. Made by the library, which may append members. */
typedef struct cj_sample_read {
    int64_t index;        ///< its number, from 0
    uint64_t pass;        ///< how many passes over the data were begun before, from 0
    void *const *x;       ///< of each input, where its elements go, row major
    void *const *y;       ///< of each target
    float *sample_weight; ///< where its weight goes; NULL for data without weights
} cj_sample_read;

/** The arguments of cj_dataset_from(). */
typedef struct cj_dataset_from_args {
    size_t size;   ///< bytes of the struct
    int _;         ///< what follows may be given by position
    int64_t count; ///< required: the number of samples
    /**
     * required: reads one sample. Several threads call it at once, for different samples; a failure
     * ends what reads with its status and its sentence, cj_fail()
     */
    cj_status (*read)(void *context, const cj_sample_read *sample);
    void *context;               ///< handed to `read`; default NULL
    void (*free)(void *context); ///< called with `context` when the data set is gone; default NULL
    cj_part x[CJ_IN_BRACES];     ///< the inputs, x_count of them
    cj_part y[CJ_IN_BRACES];     ///< the targets, y_count of them
    int x_count;                 ///< default 1
    int y_count;                 ///< default 1; 0: none, for prediction only
    bool weighted;               ///< default false; true: samples have weights
    bool one_thread;             ///< default false; true: `read` is called once at a time
} cj_dataset_from_args;
/** The defaults of cj_dataset_from_args. */
#define CJ_DATASET_FROM_DEFAULTS .size = sizeof(cj_dataset_from_args), .x_count = 1, .y_count = 1
/** Sets `args` to CJ_DATASET_FROM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_from_defaults(cj_dataset_from_args *args);
/**
 * A data set whose samples a function reads: Keras's `PyDataset`, by the sample. NULL with
 * CJ_INVALID_ARGUMENT (no function, no samples, no inputs, more than 8 inputs or targets, a shape
 * or dtype that is none) or CJ_OUT_OF_MEMORY; `free` is then called too.
 */
CJ_API cj_dataset *cj_dataset_from_new(const cj_dataset_from_args *args);
/** `cj_dataset_from(.count = 9, .read = f, .x = {{CJ_F32, CJ_SHAPE(2)}}, .y = {{.dtype = CJ_I32}})`. */
#define cj_dataset_from(...) \
    cj_dataset_from_new(&(cj_dataset_from_args){CJ_DATASET_FROM_DEFAULTS, ._ = 0, __VA_ARGS__})

/** One sample to be changed. Made by the library, which may append members. */
typedef struct cj_sample_map {
    int64_t index;        ///< its number, from 0
    uint64_t pass;        ///< how many passes over the data were begun before, from 0
    const void *const *x; ///< its inputs
    const void *const *y; ///< its targets
    void *const *to_x;    ///< where the new inputs go; nothing is there yet
    void *const *to_y;    ///< where the new targets go
    float *sample_weight; ///< its weight, which may be changed; NULL for data without weights
    void *const *sample_weights; ///< the weights of each target, where they have their own
} cj_sample_map;

/** The arguments of cj_dataset_map(). */
typedef struct cj_dataset_map_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** required: makes the new sample of the old one; see `read` of cj_dataset_from() */
    cj_status (*call)(void *context, const cj_sample_map *sample);
    void *context;               ///< handed to `call`; default NULL
    void (*free)(void *context); ///< called with `context` when the data set is gone; default NULL
    cj_part x[CJ_IN_BRACES];     ///< the new inputs, x_count of them
    cj_part y[CJ_IN_BRACES];     ///< the new targets, y_count of them
    int x_count;                 ///< default -1: of the types that they have; `call` writes them
    int y_count;                 ///< default -1: of the types that they have; 0: none
    bool one_thread;             ///< default false; true: `call` is called once at a time
} cj_dataset_map_args;
/** The defaults of cj_dataset_map_args. */
#define CJ_DATASET_MAP_DEFAULTS .size = sizeof(cj_dataset_map_args), .x_count = -1, .y_count = -1
/** Sets `args` to CJ_DATASET_MAP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_map_defaults(cj_dataset_map_args *args);
/**
 * Samples as a function makes them of those of `data`. NULL with CJ_INVALID_ARGUMENT (as
 * cj_dataset_from_new(); a batched data set; texts that would have to be as they were),
 * CJ_OUT_OF_MEMORY; `free` is then called too.
 */
CJ_API cj_dataset *cj_dataset_map_with(cj_dataset *data, const cj_dataset_map_args *args);
/** `cj_dataset_map(data, .call = brighten)`. */
#define cj_dataset_map(...)       \
    cj_dataset_map_with(          \
        CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_dataset_map_args){CJ_DATASET_MAP_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * The first input of each sample goes through `model` as if in training, in the threads that read:
 * layers that change images by chance, on the side of the data, as `data.map(model)` in Keras. What is
 * drawn depends on the model's seed, the sample and the pass. The model has one input and one output,
 * and may be a cj_sequential() without an input layer; it is taken over. NULL with CJ_INVALID_ARGUMENT
 * (a NULL, texts, a batched data set, several inputs or outputs), CJ_SHAPE_MISMATCH,
 * CJ_OUT_OF_MEMORY, or as the model fails on such samples.
 */
CJ_API cj_dataset *cj_dataset_augment(cj_dataset *data, cj_model *model);

/** The arguments of cj_dataset_shuffle(). */
typedef struct cj_dataset_shuffle_args {
    size_t size;                   ///< bytes of the struct
    int _;                         ///< what follows may be given by position
    uint64_t seed;                 ///< default 0
    bool reshuffle_each_iteration; ///< default true: another order in each pass; false: one order
} cj_dataset_shuffle_args;
/** The defaults of cj_dataset_shuffle_args. */
#define CJ_DATASET_SHUFFLE_DEFAULTS \
    .size = sizeof(cj_dataset_shuffle_args), .reshuffle_each_iteration = true
/** Sets `args` to CJ_DATASET_SHUFFLE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_shuffle_defaults(cj_dataset_shuffle_args *args);
/**
 * The samples in an order that is drawn from the seed, over the whole data set: no buffer has to be
 * chosen, and none is kept. The order is a permutation by a Feistel network with Philox as its
 * rounds (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains"). cj_fit() then keeps
 * this order and does not shuffle. NULL with CJ_INVALID_ARGUMENT (a batched data set) or
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_shuffle_with(cj_dataset *data, const cj_dataset_shuffle_args *args);
/** `cj_dataset_shuffle(data, .seed = 7)`. */
#define cj_dataset_shuffle(...)   \
    cj_dataset_shuffle_with(      \
        CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_dataset_shuffle_args){CJ_DATASET_SHUFFLE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * The first `count` samples, or all if there are fewer. NULL with CJ_INVALID_ARGUMENT (a count
 * below 1; a batched data set) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_take(cj_dataset *data, int64_t count);
/**
 * The samples after the first `count`. NULL with CJ_INVALID_ARGUMENT (a negative count, or one that
 * leaves none; a batched data set) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_skip(cj_dataset *data, int64_t count);
/**
 * All samples `times` times, each time as in a pass of its own. For a stream without end use
 * steps_per_epoch of cj_fit(), which goes on from pass to pass. NULL with CJ_INVALID_ARGUMENT (less
 * than one time; more samples than can be counted; a batched data set) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_repeat(cj_dataset *data, int64_t times);
/**
 * The samples of `first`, then those of `second`. NULL with CJ_SHAPE_MISMATCH (other inputs or
 * targets, weights in one only), CJ_INVALID_ARGUMENT (a batched data set) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_concatenate(cj_dataset *first, cj_dataset *second);

/** The arguments of cj_dataset_zip(). Lists: see CJ_IN_BRACES. */
typedef struct cj_dataset_zip_args {
    size_t size;                 ///< bytes of the struct
    int _;                       ///< what follows may be given by position
    cj_dataset *x[CJ_IN_BRACES]; ///< at least one: their inputs are the inputs
    /** their inputs are the targets; default {&cj_no_dataset}: none */
    cj_dataset *y[CJ_IN_BRACES];
    /** its input, a scalar, is the weight; default &cj_no_dataset: none */
    cj_dataset *sample_weight;
} cj_dataset_zip_args;
/** The defaults of cj_dataset_zip_args. */
#define CJ_DATASET_ZIP_DEFAULTS \
    .size = sizeof(cj_dataset_zip_args), .y = {&cj_no_dataset}, .sample_weight = &cj_no_dataset
/** Sets `args` to CJ_DATASET_ZIP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_zip_defaults(cj_dataset_zip_args *args);
/**
 * Data sets side by side, as `Dataset.zip((x, y))`: as many samples as the shortest has; targets of
 * the sets themselves are left out. NULL with CJ_INVALID_ARGUMENT (no inputs, a batched data set, a
 * weight that is no float32 scalar), or
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_zip_new(const cj_dataset_zip_args *args);
/** `cj_dataset_zip(.x = {images}, .y = {labels})`. */
#define cj_dataset_zip(...) \
    cj_dataset_zip_new(&(cj_dataset_zip_args){CJ_DATASET_ZIP_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Samples are kept in memory when they are first read: as many of the first ones as fit into
 * `bytes`; the others are read anew in each pass. What lies before a cache is always read as in
 * pass 0, so what changes from pass to pass comes after it. NULL with CJ_INVALID_ARGUMENT (fewer
 * bytes than a sample has) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_cache(cj_dataset *data, int64_t bytes);

/** The arguments of cj_dataset_batch(). */
typedef struct cj_dataset_batch_args {
    size_t size;         ///< bytes of the struct
    int _;               ///< what follows may be given by position
    int64_t batch_size;  ///< required: samples of a batch
    bool drop_remainder; ///< default false; true: a last batch that is not whole is left out
} cj_dataset_batch_args;
/** The defaults of cj_dataset_batch_args. */
#define CJ_DATASET_BATCH_DEFAULTS .size = sizeof(cj_dataset_batch_args)
/** Sets `args` to CJ_DATASET_BATCH_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_batch_defaults(cj_dataset_batch_args *args);
/**
 * Says which batches cj_fit(), cj_evaluate() and cj_predict_data() make where their batch_size is
 * 0; cj_fit() then takes the samples in the order that the chain gives them, as Keras does with
 * batched data. It comes last in a chain: only a cache and prefetching may follow. NULL with
 * CJ_INVALID_ARGUMENT (a size below 1, or above all samples with drop_remainder; data that is
 * batched already) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_batch_with(cj_dataset *data, const cj_dataset_batch_args *args);
/** `cj_dataset_batch(data, 32)`. */
#define cj_dataset_batch(...)     \
    cj_dataset_batch_with(        \
        CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_dataset_batch_args){CJ_DATASET_BATCH_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_dataset_padded_batch(). */
typedef struct cj_dataset_padded_batch_args {
    size_t size;             ///< bytes of the struct
    int _;                   ///< what follows may be given by position
    int64_t batch_size;      ///< required: samples of a batch
    bool drop_remainder;     ///< default false; true: a last batch that is not whole is left out
    int64_t pad_to_multiple; ///< default 1: a batch has a multiple of so many steps, or all of them
    double padding_value;    ///< default 0: steps at the end of a sample that are all this number
    bool x[CJ_IN_BRACES];    ///< which inputs have steps, their first axis; default {true}
    bool y[CJ_IN_BRACES];    ///< which targets have the same steps; default none
} cj_dataset_padded_batch_args;
/** The defaults of cj_dataset_padded_batch_args. */
#define CJ_DATASET_PADDED_BATCH_DEFAULTS \
    .size = sizeof(cj_dataset_padded_batch_args), .pad_to_multiple = 1, .x = {true}
/** Sets `args` to CJ_DATASET_PADDED_BATCH_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_padded_batch_defaults(cj_dataset_padded_batch_args *args);
/**
 * Batches that are each as long as their longest sample, as `padded_batch` of tf.data: texts and
 * sounds of different lengths train without steps that are only padding. Samples are padded at their
 * end to one length, as cj_pad_sequences(.padding = "post") does it; a batch is cut behind the last step
 * of its longest sample in any of the inputs `x`, then filled up to `pad_to_multiple`. The model needs a
 * free length, cj_input(CJ_ANY, ...), and keeps a function for each length that comes, so that a
 * multiple such as 8 or 16 saves memory and time. Otherwise as cj_dataset_batch(); cj_predict_data()
 * needs outputs without the steps. NULL with CJ_INVALID_ARGUMENT (as cj_dataset_batch(); a multiple
 * below 1; a part without steps; texts), CJ_SHAPE_MISMATCH (parts of different lengths) or
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_padded_batch_with(cj_dataset *data,
                                                const cj_dataset_padded_batch_args *args);
/** `cj_dataset_padded_batch(data, 32, .pad_to_multiple = 8)`. */
#define cj_dataset_padded_batch(...)                                                               \
    cj_dataset_padded_batch_with(CJ__HEAD(__VA_ARGS__, ~),                                         \
                                 &(cj_dataset_padded_batch_args){CJ_DATASET_PADDED_BATCH_DEFAULTS, \
                                                                 ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_dataset_prefetch(). */
typedef struct cj_dataset_prefetch_args {
    size_t size;     ///< bytes of the struct
    int _;           ///< what follows may be given by position
    int64_t batches; ///< default 0: 2 batches beside the one in use
    /**
     * default 0: as many threads as there are CPUs (CAJAL_NUM_THREADS), and none where reading only
     * copies memory
     */
    int threads;
} cj_dataset_prefetch_args;
/** The defaults of cj_dataset_prefetch_args. */
#define CJ_DATASET_PREFETCH_DEFAULTS .size = sizeof(cj_dataset_prefetch_args)
/** Sets `args` to CJ_DATASET_PREFETCH_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_prefetch_defaults(cj_dataset_prefetch_args *args);
/**
 * How far is read ahead, and by how many threads; without it the defaults hold. It changes no
 * result. NULL with CJ_INVALID_ARGUMENT (a negative number, more than 64 threads, more than 1024
 * batches) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_prefetch_with(cj_dataset *data, const cj_dataset_prefetch_args *args);
/** `cj_dataset_prefetch(data, .batches = 4)`. */
#define cj_dataset_prefetch(...)                                                               \
    cj_dataset_prefetch_with(CJ__HEAD(__VA_ARGS__, ~),                                         \
                             &(cj_dataset_prefetch_args){CJ_DATASET_PREFETCH_DEFAULTS, ._ = 0, \
                                                         CJ__TAIL(__VA_ARGS__, )})

/** Whether the samples of a data set are read when they are needed; false for NULL. */
CJ_API bool cj_dataset_is_streamed(const cj_dataset *data);
/** The dtype and shape of input `index` of a sample. CJ_INVALID_ARGUMENT: NULL, no such input. */
CJ_API cj_status cj_dataset_input(const cj_dataset *data, int index, cj_part *part);
/** The dtype and shape of target `index` of a sample. CJ_INVALID_ARGUMENT: NULL, no such target. */
CJ_API cj_status cj_dataset_target(const cj_dataset *data, int index, cj_part *part);

/**
 * Reads samples `begin` to `begin + count - 1` of any data set, as they are in pass `pass`, into
 * memory: `*batch` receives a new data set over tensors, to be released. A loop of the user's own
 * trains on it by cj_train_on_batch(). One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL, samples that the
 * data set does not have), CJ_OUT_OF_MEMORY, or what reading a sample fails with.
 */
CJ_API cj_status cj_dataset_read(const cj_dataset *data, int64_t begin, int64_t count,
                                 uint64_t pass, cj_dataset **batch);
/** Reads all samples as in pass 0: cj_dataset_read(), with its statuses such as CJ_OK. */
CJ_API cj_status cj_dataset_load(const cj_dataset *data, cj_dataset **memory);

/**
 * The model's outputs for all samples of a data set; its targets, if there are any, are left out.
 * `outputs[i]` receives a new tensor for output i, to be released. Statuses as
 * cj_predict_many_with(), such as CJ_OK, and what reading a sample fails with.
 */
CJ_API cj_status cj_predict_data_with(cj_model *model, cj_dataset *data, cj_tensor **outputs,
                                      const cj_predict_args *args);
/** `cj_predict_data(model, data, outputs, .batch_size = 256)`. */
#define cj_predict_data(model, data, ...)                       \
    cj_predict_data_with(model, data, CJ__HEAD(__VA_ARGS__, ~), \
                         &(cj_predict_args){CJ_PREDICT_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * The seconds that the steps of the model's latest cj_fit() have waited for their data; 0 for data
 * in memory, before the first cj_fit(), and for NULL.
 */
CJ_API double cj_data_wait(const cj_model *model);

#ifdef __cplusplus
}
#endif
#endif
