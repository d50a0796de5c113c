// Private to the files on fields: what each kind of field is as text. See fields.h.
#ifndef CJ_BASE_FIELD_TEXT_H
#define CJ_BASE_FIELD_TEXT_H

#include "base/fields.h"
#include "base/text.h"

// Adds "key=value" of a resolved field, as cj__field_set() reads it; nothing if the value is that
// of `defaults`.
void cj__field_write(const cj__field *field, const void *args, const void *defaults,
                     cj__text *text);

// Sets the arguments that a spec gives, over the defaults, in `args`, of choice->args_size bytes: they
// are not resolved, and their strings and numbers lie in `*copy`, which the caller frees, also after a
// failure. The name before the parenthesis has been read by the caller.
cj_status cj__spec_args(const cj__choice *choice, const char *spec, void *args, void **copy);

#endif
