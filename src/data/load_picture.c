// One image file by the rules of a folder.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "data/image.h"
#include <cajal/pictures.h>

static const char who[] = "cj_load_picture";

CJ__DEFAULTS(load_picture, LOAD_PICTURE)

cj_status cj_load_picture_with(const char *path, cj_tensor **image,
                               const cj_load_picture_args *args)
{
    cj_load_picture_args given;
    cj__look look;
    int channels;
    if (!path || !image)
        return cj__fail_null_of(who, path ? "the place for the image" : "the file's name");
    *image = NULL;
    CJ_TRY(cj__args_read(who, args, &load_picture_defaults, sizeof given, &given));
    const bool as_it_is = given.image_size[0] == 0 && given.image_size[1] == 0;
    const cj__look_words words = {
        .image_size = {as_it_is ? 1 : given.image_size[0], as_it_is ? 1 : given.image_size[1]},
        .color_mode = given.color_mode,
        .interpolation = given.interpolation,
        .dtype = given.dtype,
        .crop = given.crop_to_aspect_ratio,
        .pad = given.pad_to_aspect_ratio};
    CJ_TRY(cj__look_read(who, &words, &look, &channels));
    if (as_it_is)
        return cj__load_whole(path, channels, look.reals, image);
    cj_tensor *fitted;
    CJ_TRY(cj_tensor_new(look.reals ? CJ_F32 : CJ_U8, CJ_SHAPE(look.height, look.width, channels),
                         &fitted));
    const cj_status status = cj__load_fitted(path, channels, &look, cj_tensor_data(fitted));
    if (status == CJ_OK)
        *image = fitted;
    else
        cj_release(fitted);
    return status;
}
