/**
 * @file data.h
 * Data sets: inputs, targets and weights of many samples, from memory, files, or the library's own
 * generator.
 *
 * A data set keeps its tensors as they are (bytes stay bytes); batches are gathered where they are
 * used.
 */
#ifndef CAJAL_DATA_H
#define CAJAL_DATA_H

#include <cajal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Samples with targets. All tensors have the samples along their first axis. */
typedef struct cj_dataset cj_dataset;

/**
 * What stands for "no data set given" in arguments whose default it is. It is known by its address
 * and of no other use.
 */
CJ_API extern cj_dataset cj_no_dataset;

/** The arguments of cj_dataset(). Lists: see CJ_IN_BRACES. */
typedef struct cj_dataset_args {
    size_t size;                ///< bytes of the struct
    int _;                      ///< what follows may be given by position
    cj_tensor *x[CJ_IN_BRACES]; ///< inputs, at least one
    cj_tensor *const *x_list;   ///< or any number of them
    int x_count;                ///< length of x_list
    /** targets; default {&cj_no_tensor}: none, for prediction only; a NULL in first place is refused */
    cj_tensor *y[CJ_IN_BRACES];
    cj_tensor *const *y_list; ///< or any number of them
    int y_count;              ///< length of y_list
    /**
     * numbers (samples), of all targets; for targets with axes of time also (samples, time), or as many
     * of the first axes; default NULL: 1 each
     */
    cj_tensor *sample_weight;
    /** or for each target its own, such as {of_a, of_b}; default {&cj_no_tensor}: none */
    cj_tensor *sample_weights[CJ_IN_BRACES];
    cj_tensor *const *sample_weights_list; ///< or any number of them
    int sample_weights_count;              ///< length of sample_weights_list
} cj_dataset_args;
/** The defaults of cj_dataset_args. */
#define CJ_DATASET_DEFAULTS \
    .size = sizeof(cj_dataset_args), .y = {&cj_no_tensor}, .sample_weights = {&cj_no_tensor}
/** Sets `args` to CJ_DATASET_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dataset_defaults(cj_dataset_args *args);
/**
 * A data set over tensors, any number of them, which it retains. NULL with CJ_INVALID_ARGUMENT (no
 * inputs, a NULL among them, sample weights in both ways), CJ_SHAPE_MISMATCH (another number of
 * samples, several sample weights but not as many as targets) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_dataset_new(const cj_dataset_args *args);
/** `cj_dataset(.x = {images}, .y = {labels})`. */
#define cj_dataset(...) cj_dataset_new(&(cj_dataset_args){CJ_DATASET_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The number of samples; 0 for NULL. */
CJ_API int64_t cj_dataset_count(const cj_dataset *data);
/** Input `index`; NULL if there is none, or no tensor of it (streams.h). It belongs to the data set. */
CJ_API cj_tensor *cj_dataset_x(const cj_dataset *data, int index);
/** Target `index`; NULL if there is none. It belongs to the data set. */
CJ_API cj_tensor *cj_dataset_y(const cj_dataset *data, int index);
/** The sample weights, or those of target 0; NULL if all are 1. */
CJ_API cj_tensor *cj_dataset_sample_weight(const cj_dataset *data);
/**
 * Tensor `index` of the sample weights: 0 of all targets or the first, others of targets that have their
 * own; NULL if there is none. It belongs to the data set.
 */
CJ_API cj_tensor *cj_dataset_sample_weights(const cj_dataset *data, int index);
/**
 * Samples `begin` to `begin + count - 1` as a new data set that shares their memory, to be
 * released. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; samples that the data set does not have),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_dataset_slice(const cj_dataset *data, int64_t begin, int64_t count,
                                  cj_dataset **slice);

/**
 * Reads an IDX file (LeCun's MNIST format, plain or gzip) into a tensor: bytes, 32-bit integers and
 * floats as they are, signed bytes and 16-bit integers as int32. CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE,
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_idx(const char *path, cj_tensor **tensor);

/**
 * MNIST: 60,000 and 10,000 images, uint8 (samples, 28, 28, 1), with labels uint8 (samples). Looks
 * in $CAJAL_DATA/mnist, $CAJAL_DATA, $XDG_CACHE_HOME/cajal/mnist (~/.cache/cajal/mnist), then
 * datasets/mnist in each of $XDG_DATA_DIRS (/usr/local/share and /usr/share).
 * `*train` and `*test` receive new data sets, to be released. One of CJ_OK, CJ_INVALID_ARGUMENT (a
 * NULL), CJ_NOT_FOUND (the sentence names the places), CJ_IO, CJ_BAD_FILE, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_mnist(cj_dataset **train, cj_dataset **test);

/**
 * Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 60,000 and 10,000 pictures of clothes in ten classes,
 * in MNIST's shapes, dtypes and files. Looks in $CAJAL_DATA/fashion-mnist, then
 * $XDG_CACHE_HOME/cajal/fashion-mnist (~/.cache/cajal/fashion-mnist), then
 * datasets/fashion-mnist in each of $XDG_DATA_DIRS (/usr/share/datasets/fashion-mnist, where Debian's
 * package dataset-fashion-mnist lays it). The statuses are those of cj_load_mnist(), CJ_NOT_FOUND among
 * them.
 */
CJ_API cj_status cj_load_fashion_mnist(cj_dataset **train, cj_dataset **test);

/**
 * CIFAR-10 (Krizhevsky 2009): 50,000 and 10,000 images, uint8 (samples, 32, 32, 3), with labels
 * uint8 (samples). Reads the binary version, data_batch_1.bin to data_batch_5.bin and
 * test_batch.bin: records of a label and three planes of 32 x 32 bytes, which become the last axis.
 * A file may hold fewer records than the published one. Looks in $CAJAL_DATA/cifar-10-batches-bin,
 * $CAJAL_DATA/cifar10, $CAJAL_DATA, $XDG_CACHE_HOME/cajal/cifar10 (~/.cache/cajal/cifar10), then
 * datasets/cifar10 in each of $XDG_DATA_DIRS.
 * CJ_NOT_FOUND names the places; CJ_IO, CJ_BAD_FILE (no whole number of records, none, or more than
 * 10,000; a label above 9), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_cifar10(cj_dataset **train, cj_dataset **test);

/** The arguments of cj_load_digits(). */
typedef struct cj_load_digits_args {
    size_t size;         ///< bytes of the struct
    int _;               ///< what follows may be given by position
    int64_t train_count; ///< default 60000
    int64_t test_count;  ///< default 10000
    uint64_t seed;       ///< default 0: the published set
} cj_load_digits_args;
/** The defaults of cj_load_digits_args. */
#define CJ_LOAD_DIGITS_DEFAULTS \
    .size = sizeof(cj_load_digits_args), .train_count = 60000, .test_count = 10000
/** Sets `args` to CJ_LOAD_DIGITS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_digits_defaults(cj_load_digits_args *args);
/**
 * Digits: drawn by the library from stroke skeletons with random shear, thickness, curvature and
 * noise; MNIST's shapes and dtypes. The same seed gives the same bytes on every machine. One of
 * CJ_OK, CJ_INVALID_ARGUMENT, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_digits_with(cj_dataset **train, cj_dataset **test,
                                     const cj_load_digits_args *args);
/** `cj_load_digits(&train, &test, .train_count = 1000)`. */
#define cj_load_digits(train, ...)       \
    cj_load_digits_with(                 \
        train, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_load_digits_args){CJ_LOAD_DIGITS_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * A data set by name: "mnist", "fashion-mnist", "cifar10" or "digits"; "auto" is MNIST where it is
 * found, else Fashion-MNIST, else digits. `*train` and `*test` receive new data sets, to be released. CJ_INVALID_ARGUMENT (a
 * NULL; an unknown name), and as the function that loads it.
 */
CJ_API cj_status cj_load_dataset(const char *name, cj_dataset **train, cj_dataset **test);

/**
 * Reads a PNG, JPEG, BMP, PGM or PPM image, the first picture of a GIF, or (where the
 * library was built with libwebp) a WebP of one picture as uint8 (height, width, channels), with
 * `channels` 1, 3 or 4 (0: the file's own 1 or 3). Colour becomes grey by the luma of ITU-R BT.601;
 * what is transparent lies over white, but with 4 channels the last one is its alpha, 255 for opaque; a
 * photo
 * is turned upright as its Exif orientation says. CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE, CJ_UNSUPPORTED (too large, or other colours
 * than grey, RGB and CMYK), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_image(const char *path, int channels, cj_tensor **image);

/**
 * Writes a (height, width, 1 or 3) uint8 tensor as a PNG file. One of CJ_OK, CJ_INVALID_ARGUMENT (a
 * NULL), CJ_SHAPE_MISMATCH (another shape or dtype), CJ_IO, CJ_OUT_OF_MEMORY, CJ_UNSUPPORTED (a
 * library built without images).
 */
CJ_API cj_status cj_save_png(const cj_tensor *image, const char *path);

/**
 * A (height, width, channels) image, uint8 or float32, resized by area averaging (down) or bilinear
 * interpolation (up): a new tensor of its dtype, to be released. One of CJ_OK, CJ_INVALID_ARGUMENT
 * (a NULL; a height or width below 1), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_resize_image(const cj_tensor *image, int64_t height, int64_t width,
                                 cj_tensor **resized);

/**
 * Lays out images (samples, h, w, c) of uint8, or of floats from 0 to 1, as one uint8 picture with
 * `columns` images in a row: a new tensor, to be released. One of CJ_OK, CJ_INVALID_ARGUMENT (a
 * NULL; columns below 1 or too many), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_image_grid(const cj_tensor *images, int64_t columns, cj_tensor **picture);

#ifdef __cplusplus
}
#endif
#endif
