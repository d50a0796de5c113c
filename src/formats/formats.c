// cj_save and cj_load: choosing a format.
#include "formats/format.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"

#include <stdio.h>
#include <string.h>

static const cj__format *const formats[] = {&cj__format_native};
enum { FORMAT_COUNT = sizeof(formats) / sizeof formats[0], HEAD = 64 };

static const cj__format *by_extension(const char *path)
{
    size_t length = strlen(path);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        size_t extension = strlen(formats[i]->extension);
        if (length >= extension && strcmp(path + length - extension, formats[i]->extension) == 0)
            return formats[i];
    }
    return &cj__format_native;
}

static cj_status by_content(const char *path, const cj__format **format)
{
    FILE *file;
    uint64_t file_size;
    CJ_TRY(cj__file_open(path, &file, &file_size));
    unsigned char head[HEAD];
    size_t size = fread(head, 1, sizeof(head), file);
    fclose(file);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (formats[i]->recognise(head, size, file_size)) {
            *format = formats[i];
            return CJ_OK;
        }
    }
    return cj__fail(CJ_BAD_FILE, "\"%s\" is not a model file of a known format", path);
}

cj_status cj_save(cj_model *model, const char *path)
{
    if (!model)
        return cj_error_status() != CJ_OK ? cj_error_status() :
                                            cj__fail(CJ_INVALID_ARGUMENT, "save: no model");
    return by_extension(path)->save(model, path);
}

cj_model *cj_load(const char *path)
{
    const cj__format *format = NULL;
    cj_model *model = NULL;
    if (by_content(path, &format) != CJ_OK)
        return NULL;
    cj_status status = format->load(path, &model);
    if (status != CJ_OK) {
        cj__fail_in(status, "\"%s\"", path);
        return NULL;
    }
    return model;
}

cj_status cj_load_weights(cj_model *model, const char *path)
{
    if (!model)
        return cj_error_status() != CJ_OK ? cj_error_status() :
                                            cj__fail(CJ_INVALID_ARGUMENT, "load_weights: no model");
    const cj__format *format = NULL;
    CJ_TRY(by_content(path, &format));
    cj_status status = format->load_weights(model, path);
    return status != CJ_OK ? cj__fail_in(status, "\"%s\"", path) : CJ_OK;
}

void cj_free(void *block)
{
    cj__free(block);
}
