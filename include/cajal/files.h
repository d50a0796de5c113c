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
 * place in training.
 */
CJ_API cj_status cj_save(cj_model *model, const char *path);

/**
 * Loads a model from any format known here, recognised by its content; compiled, if it was when it
 * was saved.
 */
CJ_API cj_model *cj_load(const char *path);

/**
 * Copies the weights in a model file into a model of the same architecture. Nothing changes on
 * failure.
 */
CJ_API cj_status cj_load_weights(cj_model *model, const char *path);

/** The architecture as JSON in Keras's config form; to be freed with cj_free(). */
CJ_API cj_status cj_model_to_json(cj_model *model, char **json);

/**
 * A model, with fresh weights, from JSON in Keras's config form: a Sequential or Functional object,
 * with or without "module".
 */
CJ_API cj_model *cj_model_from_json(const char *json, size_t length);

/** Frees what a function of this library says is to be freed with it; NULL is fine. */
CJ_API void cj_free(void *block);

#ifdef __cplusplus
}
#endif
#endif
