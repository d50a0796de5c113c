// A build without CAJAL_FILES: what would read or write model files answers that it cannot.
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include <cajal/callbacks.h>
#include <cajal/files.h>
#include <cajal/nir.h>

static cj_status absent(const char *what)
{
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: this build of the library has no model files "
                    "(CAJAL_FILES was off)",
                    what);
}

cj_status cj_save(cj_model *model, const char *path)
{
    (void)model;
    return absent(path ? path : "save");
}

cj_status cj_save_weights(cj_model *model, const char *path)
{
    (void)model;
    return absent(path ? path : "save_weights");
}

cj_status cj_save_memory(cj_model *model, void **data, size_t *size)
{
    (void)model;
    if (data)
        *data = NULL;
    if (size)
        *size = 0;
    return absent("save_memory");
}

cj_model *cj_load_memory(const void *data, size_t size)
{
    (void)data, (void)size;
    absent("load_memory");
    return cj__build_failed(CJ__MADE_MODEL);
}

cj_model *cj_load(const char *path)
{
    absent(path ? path : "load");
    return cj__build_failed(CJ__MADE_MODEL);
}

CJ__DEFAULTS(nir, NIR)

CJ__DEFAULTS(nir_save, NIR_SAVE)

cj_status cj_save_nir_with(cj_model *model, const char *path, const cj_nir_save_args *args)
{
    (void)model, (void)args;
    return absent(path ? path : "save_nir");
}

cj_model *cj_load_nir_with(const char *path, const cj_nir_args *args)
{
    (void)args;
    absent(path ? path : "load_nir");
    return cj__build_failed(CJ__MADE_MODEL);
}

cj_status cj_load_weights(cj_model *model, const char *path)
{
    (void)model;
    return absent(path ? path : "load_weights");
}

cj_status cj_load_matching_weights(cj_model *model, const char *path, int *loaded)
{
    (void)model;
    if (loaded)
        *loaded = 0;
    return absent(path ? path : "load_matching_weights");
}

cj_status cj_model_to_json(cj_model *model, char **json)
{
    (void)model;
    if (json)
        *json = NULL;
    return absent("model_to_json");
}

cj_model *cj_model_from_json(const char *json, size_t length)
{
    (void)json, (void)length;
    absent("model_from_json");
    return cj__build_failed(CJ__MADE_MODEL);
}

cj_callback *cj_model_checkpoint_new(const cj_model_checkpoint_args *args)
{
    (void)args;
    absent("ModelCheckpoint");
    return cj__build_failed(CJ__MADE_CALLBACK);
}

CJ__DEFAULTS(backup_and_restore, BACKUP_AND_RESTORE)

cj_callback *cj_backup_and_restore_new(const cj_backup_and_restore_args *args)
{
    (void)args;
    absent("BackupAndRestore");
    return cj__build_failed(CJ__MADE_CALLBACK);
}

CJ__DEFAULTS(tensor_board, TENSOR_BOARD)

cj_callback *cj_tensor_board_new(const cj_tensor_board_args *args)
{
    (void)args;
    absent("TensorBoard");
    return cj__build_failed(CJ__MADE_CALLBACK);
}

CJ__DEFAULTS(model_checkpoint, MODEL_CHECKPOINT)
