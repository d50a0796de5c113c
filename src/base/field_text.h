// Private to the files on fields: what each kind of field is as text. See fields.h.
#ifndef CJ_BASE_FIELD_TEXT_H
#define CJ_BASE_FIELD_TEXT_H

#include "base/fields.h"
#include "base/text.h"

// Adds "key=value" of a resolved field, as cj__field_set() reads it; nothing if the value is that
// of `defaults`.
void cj__field_write(const cj__field *field, const void *args, const void *defaults,
                     cj__text *text);

#endif
