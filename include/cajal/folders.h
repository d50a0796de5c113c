/**
 * @file folders.h
 * A folder of images as a data set, in the manner of keras.utils.image_dataset_from_directory.
 */
#ifndef CAJAL_FOLDERS_H
#define CAJAL_FOLDERS_H

#include <cajal/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_load_image_folder(). */
typedef struct cj_load_image_folder_args {
    size_t size;           ///< bytes of the struct
    int _;                 ///< what follows may be given by position
    int64_t image_size[2]; ///< height and width that every image gets; default {256, 256}
    /** "rgb" (default): 3 channels; "grayscale": 1; "rgba": 4, the last one 255 where nothing is transparent */
    const char *color_mode;
    /** "bilinear" (default), "nearest", "bicubic", "area", "lanczos3" or "lanczos5" */
    const char *interpolation;
    bool crop_to_aspect_ratio; ///< default false: keep the middle in the ratio of image_size
    bool
        pad_to_aspect_ratio; ///< default false: keep all and put black around it, as tf.image.resize_with_pad
    /**
     * "int" (default): int32 (samples); "categorical": float32 (samples, classes); "binary": float32
     * (samples, 1) of two classes
     */
    const char *label_mode;
    /** the folders that are classes, in this order; default none: every folder, in order of bytes */
    const char *class_names[CJ_IN_BRACES];
    const char *const *class_names_list; ///< or any number of them; see CJ_IN_BRACES
    int class_names_count;               ///< length of class_names_list
    /**
     * a CSV file of lines "file name,label", with or without a heading: the names are below the
     * folder, the labels are the classes, and there is no folder for each; default NULL
     */
    const char *labels;
    bool shuffle;  ///< default true: in an order drawn from `seed`; false: by class and name
    uint32_t seed; ///< default 0
    double validation_split; ///< default 0: the share, below 1, that goes to the second data set
    /** default false: a file that cannot be read fails. True: it is left out, with a warning */
    bool skip_broken;
    /** threads that decode; stays the caller's; default &cj_default_pool; NULL is refused */
    cj_pool *pool;
    /**
     * default false: all images are decoded into memory at once. True: an image is decoded when it is
     * needed, while the one before trains (streams.h); `pool` then only serves `skip_broken`, for which
     * each file is decoded once to see whether it can be
     */
    bool stream;
    /**
     * with `stream`: decoded images are kept in memory as far as they fit into so many bytes, each data
     * set by itself, as by cj_dataset_cache(); default 0: none
     */
    int64_t cache_bytes;
    /**
     * "uint8" (default): whole numbers, in a quarter of the memory; "float32": what Keras's loader
     * gives, 0 to 255 with what resizing leaves behind the point. A PNG, PGM or PPM of 16 bits then keeps
     * them: its numbers are divided by 257
     */
    const char *dtype;
} cj_load_image_folder_args;
/** The defaults of cj_load_image_folder_args. */
#define CJ_LOAD_IMAGE_FOLDER_DEFAULTS                                                            \
    .size = sizeof(cj_load_image_folder_args), .image_size = {256, 256}, .color_mode = "rgb",    \
    .interpolation = "bilinear", .label_mode = "int", .shuffle = true, .pool = &cj_default_pool, \
    .dtype = "uint8"
/**
 * Sets `args` to CJ_LOAD_IMAGE_FOLDER_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_load_image_folder_defaults(cj_load_image_folder_args *args);
/**
 * Reads a folder that has a folder of images for each class, and folders below those: every file
 * whose name ends in .png, .jpg, .jpeg, .gif, .webp, .bmp, .pgm, .ppm or .pnm, in capitals or not; what begins
 * with a dot is passed over. The data sets hold (samples, height, width, channels) of `dtype`: Keras's
 * numbers, rounded to whole ones for "uint8". JPEG is decoded as TensorFlow and so
 * Keras's loader does it, by the fast integer transform, where cj_load_image() uses the accurate one, as
 * Pillow does: a colour may differ by some steps of 255 between the two. Without
 * "rgba" the transparency of a PNG is left out, as there, not put over white. For one seed the order, and what goes to
 * validation, are Keras's: its shuffle is NumPy's Mersenne Twister (Matsumoto and Nishimura 1998),
 * and validation takes the last samples.
 *
 * `*train` and `*validation` receive new data sets, to be released; `validation` may be NULL if
 * validation_split is 0, and gets NULL then. The same bytes come out for any number of threads. One
 * of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; an argument out of range; fewer than two samples to split;
 * "binary" without two classes; a label that class_names does not have), CJ_NOT_FOUND (no such
 * folder, no images in it, or a class without a folder), CJ_IO, CJ_BAD_FILE (the sentence names the
 * file), CJ_UNSUPPORTED (an image of a kind that is not read), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_image_folder_with(const char *folder, cj_dataset **train,
                                           cj_dataset **validation,
                                           const cj_load_image_folder_args *args);
/** `cj_load_image_folder("photos", &train, &validation, .validation_split = 0.2)`. */
#define cj_load_image_folder(folder, train, ...)                                                  \
    cj_load_image_folder_with(folder, train, CJ__HEAD(__VA_ARGS__, ~),                            \
                              &(cj_load_image_folder_args){CJ_LOAD_IMAGE_FOLDER_DEFAULTS, ._ = 0, \
                                                           CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_load_text_folder(). */
typedef struct cj_load_text_folder_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /**
     * "int" (default): int32 (samples); "categorical": float32 (samples, classes); "binary": float32
     * (samples, 1) of two classes
     */
    const char *label_mode;
    /** the folders that are classes, in this order; default none: every folder, in order of bytes */
    const char *class_names[CJ_IN_BRACES];
    const char *const *class_names_list; ///< or any number of them; see CJ_IN_BRACES
    int class_names_count;               ///< length of class_names_list
    bool shuffle;  ///< default true: in an order drawn from `seed`; false: by class and name
    uint32_t seed; ///< default 0
    double validation_split; ///< default 0: the share, below 1, that goes to the second data set
} cj_load_text_folder_args;
/** The defaults of cj_load_text_folder_args. */
#define CJ_LOAD_TEXT_FOLDER_DEFAULTS \
    .size = sizeof(cj_load_text_folder_args), .label_mode = "int", .shuffle = true
/** Sets `args` to CJ_LOAD_TEXT_FOLDER_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_text_folder_defaults(cj_load_text_folder_args *args);
/**
 * Reads a folder that has a folder of .txt files for each class, and folders below those, in the
 * manner of keras.utils.text_dataset_from_directory: a file is a text. The data sets hold texts
 * (samples, 1); for one seed the order, and what goes to validation, are Keras's. Places and statuses
 * as of cj_load_image_folder_with(), among them CJ_NOT_FOUND; of a file above 256 MiB CJ_UNSUPPORTED.
 */
CJ_API cj_status cj_load_text_folder_with(const char *folder, cj_dataset **train,
                                          cj_dataset **validation,
                                          const cj_load_text_folder_args *args);
/** `cj_load_text_folder("reviews", &train, &validation, .validation_split = 0.2)`. */
#define cj_load_text_folder(folder, train, ...)                                                \
    cj_load_text_folder_with(folder, train, CJ__HEAD(__VA_ARGS__, ~),                          \
                             &(cj_load_text_folder_args){CJ_LOAD_TEXT_FOLDER_DEFAULTS, ._ = 0, \
                                                         CJ__TAIL(__VA_ARGS__, )})

/** How many classes a data set names; 0 if it names none, and for NULL. */
CJ_API int cj_dataset_class_count(const cj_dataset *data);
/** The name of class `index`; NULL if there is none. It belongs to the data set. */
CJ_API const char *cj_dataset_class_name(const cj_dataset *data, int index);

#ifdef __cplusplus
}
#endif
#endif
