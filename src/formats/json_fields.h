// Arguments structs to and from Keras's config objects, by their tables of fields (base/fields.h).
#ifndef CJ_FORMATS_JSON_FIELDS_H
#define CJ_FORMATS_JSON_FIELDS_H

#include "base/fields.h"
#include "formats/json_build.h"

// Adds every field of resolved arguments to `config`, but those named "name", "trainable" and
// "dtype" (the caller knows them).
void cj__fields_to_json(cj__json *b, const cj__field *fields, int count, const void *args,
                        json_t *config);

// Texts made while reading, to be freed when the arguments have been copied by a constructor.
typedef struct cj__texts {
    char **items;
    size_t count, capacity;
} cj__texts;
void cj__texts_free(cj__texts *texts);

// Sets the fields that `config` has; unknown keys are passed over, as newer and older Keras
// versions differ in them. Strings in `args` point into `config` and `texts`. `who` names the
// object in sentences.
cj_status cj__fields_from_json(const cj__field *fields, int count, const json_t *config, void *args,
                               cj__texts *texts, const char *who);

#endif
