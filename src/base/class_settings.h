// The settings of classes that a program registers (cajal/settings.h) as fields.
#ifndef CJ_BASE_CLASS_SETTINGS_H
#define CJ_BASE_CLASS_SETTINGS_H

#include "base/fields.h"
#include <cajal/settings.h>

// What a class says of its settings.
typedef struct cj__class_settings {
    const cj_setting *rows;
    int count;
    const void *defaults;
    size_t size;
} cj__class_settings;

// Refuses rows that are none, in a class of that name: `most` bytes at most, layers only if
// `layers`.
cj_status cj__class_settings_check(const cj__class_settings *settings, const char *who, size_t most,
                                   bool layers);

// Whether two classes say the same.
bool cj__class_settings_equal(const cj__class_settings *a, const cj__class_settings *b);

// Copies rows, their names and the defaults; on failure `copy` has nothing to free.
cj_status cj__class_settings_copy(const cj__class_settings *settings, cj__class_settings *copy);
void cj__class_settings_free(cj__class_settings *copy);

// A field for each row that is no layer, of a struct that lies `shift` bytes within the arguments. The
// names must last. Returns their number.
int cj__class_settings_fields(const cj__class_settings *settings, size_t shift, cj__field *fields);

#endif
