// Arguments structs to and from Keras's config objects, by their tables of fields (base/fields.h).
#ifndef CJ_FORMATS_JSON_FIELDS_H
#define CJ_FORMATS_JSON_FIELDS_H

#include "base/fields.h"
#include "formats/json_build.h"

// Texts made while reading, to be freed when the arguments have been copied by a constructor.
typedef struct cj__texts {
    char **items;
    size_t count, capacity;
} cj__texts;
void cj__texts_free(cj__texts *texts);
// Takes a text over, also on failure: NULL then.
const char *cj__texts_keep(cj__texts *texts, char *text);
// Memory for `count` items, freed with the texts; NULL if there is none.
void *cj__texts_room(cj__texts *texts, size_t count, size_t size);

// json_fields.c: one field after another.

// Adds every field of resolved arguments to `config`, but those named "name", "trainable" and
// "dtype" (the caller knows them).
void cj__fields_to_json(cj__json *b, const cj__field *fields, int count, const void *args,
                        json_t *config);
// Sets a field, or entry `part` (1 or 2) of a pair. Strings in `args` point into `value` and
// `texts`.
cj_status cj__field_from_json(const cj__field *field, int part, const json_t *value, void *args,
                              cj__texts *texts, const char *who);

// json_config.c: whole configs.

// What a config may hold: fields, and keys that are none (cj__config_key), or NULL.
typedef struct cj__config {
    const cj__field *fields;
    int field_count;
    const cj__config_key *keys;
} cj__config;

// Sets the fields that `config` has. A key that is neither a field nor one of the others is refused
// if it looks like a field that is meant, or has another value than the only one that is taken
// here; else a warning says that it is left out of account. `who` names the object in sentences.
cj_status cj__config_read(const cj__config *what, const json_t *config, void *args,
                          cj__texts *texts, const char *who);
// The same without setting anything, for what is read in another way.
cj_status cj__config_check(const cj__config *what, const json_t *config, const char *who);

// json_specs.c: specs of a catalog as Keras writes them, a name for activations, else {"module",
// "class_name", "config"}. An activation may also be a layer, such as {"class_name": "LeakyReLU"}.
json_t *cj__spec_to_json(cj__json *b, const cj__catalog *catalog, const char *spec);
cj_status cj__spec_from_json(const cj__catalog *catalog, const json_t *value, const char **spec,
                             cj__texts *texts, const char *who);

#endif
