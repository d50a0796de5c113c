/**
 * @file pictures.h
 * One image file as a tensor, by the rules of a folder of images (folders.h): what a model that was
 * trained on a folder is asked about afterwards. keras.utils.load_img() of one image, with the settings
 * and the numbers of keras.utils.image_dataset_from_directory().
 */
#ifndef CAJAL_PICTURES_H
#define CAJAL_PICTURES_H

#include <cajal/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_load_picture(). They mean what they mean for cj_load_image_folder(). */
typedef struct cj_load_picture_args {
    size_t size;           ///< bytes of the struct
    int _;                 ///< what follows may be given by position
    int64_t image_size[2]; ///< height and width that the image gets; default {0, 0}: its own
    /** "rgb" (default): 3 channels; "grayscale": 1; "rgba": 4, the last one 255 where nothing is transparent */
    const char *color_mode;
    /** "bilinear" (default), "nearest", "bicubic", "area", "lanczos3" or "lanczos5" */
    const char *interpolation;
    bool crop_to_aspect_ratio; ///< default false: keep the middle in the ratio of image_size
    bool
        pad_to_aspect_ratio; ///< default false: keep all and put black around it, as tf.image.resize_with_pad
    /**
     * "uint8" (default): whole numbers; "float32": 0 to 255, with what resizing leaves behind the point and
     * all 16 bits of a PNG, PGM or PPM that has them, whose numbers are divided by 257
     */
    const char *dtype;
} cj_load_picture_args;
/** The defaults of cj_load_picture_args. */
#define CJ_LOAD_PICTURE_DEFAULTS                                                            \
    .size = sizeof(cj_load_picture_args), .color_mode = "rgb", .interpolation = "bilinear", \
    .dtype = "uint8"
/** Sets `args` to CJ_LOAD_PICTURE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_picture_defaults(cj_load_picture_args *args);
/**
 * Reads a PNG, JPEG, GIF, WebP, BMP, PGM or PPM file: `*image` receives a new tensor (height, width,
 * channels) of `dtype`, to be released. With the settings of a folder it has the very bits of that file's
 * row in the data set of cj_load_image_folder(). cj_load_image() differs: it decodes JPEG by the accurate
 * transform, puts white behind what is transparent, and does not resize.
 *
 * CJ_OK, CJ_INVALID_ARGUMENT (a NULL, a word that is not known, both ratios, a side of image_size outside
 * of 1 to 16384, one side of 0), CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE, CJ_UNSUPPORTED (an image of a kind
 * that is not read), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_picture_with(const char *path, cj_tensor **image,
                                      const cj_load_picture_args *args);
/** `cj_load_picture("cat.jpg", &image, .image_size = {224, 224})`. */
#define cj_load_picture(path, ...)      \
    cj_load_picture_with(               \
        path, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_load_picture_args){CJ_LOAD_PICTURE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
