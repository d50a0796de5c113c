/**
 * @file files.h
 * Model files.
 *
 * The native file is safetensors with the whole configuration as JSON in its metadata
 * (docs/formats/native.md), so other tools open the weights. A file is written beside its place,
 * synced and renamed: what had that name before is whole or replaced, never in between. Reading
 * believes nothing: every size, offset, name and shape is checked.
 */
#ifndef CAJAL_FILES_H
#define CAJAL_FILES_H

#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Saves architecture, weights, and, if compiled, compile settings, optimizer slots, step, seed and
 * place in training. The extension of `path` chooses the format; this version writes
 * `.safetensors`, also under any name whose extension is none that it knows.
 *
 * Gives CJ_OK; CJ_INVALID_ARGUMENT for a NULL or a name that is not UTF-8; CJ_UNSUPPORTED for an
 * extension of another format (`.keras`, `.h5`, `.onnx`, ...), a model with ops between its layers,
 * or one too large for the format; CJ_IO where the file cannot be written, and then what had that
 * name before is still there; CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_save(cj_model *model, const char *path);

/**
 * Saves the weights alone, as Keras's `model.save_weights()`, for cj_load_weights() into a model of the
 * same architecture. That works for every model, also where a layer is made of functions of the
 * program, which no file can hold.
 *
 * Gives CJ_OK; CJ_INVALID_ARGUMENT for a NULL or a name that is not UTF-8; CJ_NOT_BUILT for a model
 * that has no weights yet; CJ_UNSUPPORTED for an extension of another format; CJ_IO where the file cannot be
 * written, and then what had that name before is still there; CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_save_weights(cj_model *model, const char *path);

/**
 * Loads a model from any format that this version reads, recognised by its content; compiled, if it
 * was when it was saved. The model is new and floating: the caller releases it. NULL on failure,
 * with cj_error_status() one of CJ_INVALID_ARGUMENT (NULL), CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE,
 * CJ_SHAPE_MISMATCH, CJ_UNSUPPORTED (a file of another format is called by its name) and
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_model *cj_load(const char *path);

/**
 * Copies the weights in a model file into a model of the same architecture: variables are found by
 * their paths, such as "dense/kernel". Nothing changes on failure. Gives CJ_OK;
 * CJ_INVALID_ARGUMENT for a NULL; CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE (also for a weight that the file
 * lacks), CJ_SHAPE_MISMATCH, CJ_UNSUPPORTED or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_weights(cj_model *model, const char *path);

/**
 * What cj_save() writes into a file, in memory: `*data` receives a block of `*size` bytes in the
 * native format, to be freed with cj_free(). Gives CJ_OK; CJ_INVALID_ARGUMENT for a NULL; what
 * cj_save() gives for a model that cannot be written; CJ_OUT_OF_MEMORY. On failure `*data` is NULL.
 */
CJ_API cj_status cj_save_memory(cj_model *model, void **data, size_t *size);

/**
 * cj_load() from `size` bytes in memory, which are read before it returns and stay the caller's.
 * NULL on failure.
 */
CJ_API cj_model *cj_load_memory(const void *data, size_t size);

/**
 * The architecture as JSON in Keras's config form, and for a compiled model what it was compiled with as
 * "compile_config", as Keras's `model.to_json()`; to be freed with cj_free(). A mixture of batches has no
 * such form and is left out. One of CJ_OK,
 * CJ_INVALID_ARGUMENT (a NULL), CJ_UNSUPPORTED (an op between its layers), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_to_json(cj_model *model, char **json);

/**
 * A model, with fresh weights, from JSON in Keras's config form: a Sequential or Functional object,
 * with or without "module". With a "compile_config" it is compiled; where that names a loss, a metric or
 * an optimizer that is not known here, a warning says so, and the model is not compiled.
 */
CJ_API cj_model *cj_model_from_json(const char *json, size_t length);

#ifdef __cplusplus
}
#endif
#endif
