// Bringing files into the shape that a model takes.
#include "cli.h"

#include <string.h>

cj_status fit_input(const cj_model *model, cj_tensor *given, cj_tensor **fitted)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    cj_shape wanted = *shape;
    wanted.dims[0] = -1;
    cj_tensor *reshaped = NULL;
    CJ_TRY(cj_tensor_reshape(given, wanted, &reshaped));
    *fitted = reshaped;
    return CJ_OK;
}

cj_status read_model_image(const cj_model *model, const char *path, cj_tensor **image)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    int64_t height = shape && shape->rank >= 3 ? shape->dims[1] : 28;
    int64_t width = shape && shape->rank >= 3 ? shape->dims[2] : 28;
    int channels = shape && shape->rank == 4 ? (int)shape->dims[3] : 1;
    cj_tensor *read = NULL, *resized = NULL;
    CJ_TRY(cj_load_image(path, channels, &read));
    cj_status status = cj_resize_image(read, height, width, &resized);
    cj_release(read);
    CJ_TRY(status);
    status = fit_input(model, resized, image);
    cj_release(resized); // the view holds it
    return status;
}
