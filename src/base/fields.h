// Settings described by data. An arguments struct (cj_dense_args, ...) has a table of fields; from
// that one table come its defaults, its checks, the parsing of specs such as
// "sgd(learning_rate=0.1)", and (in formats/) its JSON.
//
// "Resolving" turns what the user wrote into what is meant: zeros become defaults, {3} becomes {3,
// 3}, CJ_ZERO becomes 0, strings are copied. Code behind the door reads resolved arguments only.
#ifndef CJ_BASE_FIELDS_H
#define CJ_BASE_FIELDS_H

#include <cajal/base.h>

typedef enum cj__field_kind {
    CJ__FIELD_INT,   // int64_t
    CJ__FIELD_INT32, // int
    // int64_t[2]; a second entry of 0 repeats the first; JSON: number or list of two
    CJ__FIELD_PAIR,
    CJ__FIELD_LIST,   // int64_t[8] ended by 0; JSON: list
    CJ__FIELD_NUMBER, // cj_number: 0 is the default, CJ_ZERO is 0
    CJ__FIELD_REAL,   // double: 0 is 0, or `fallback` if that is not 0
    CJ__FIELD_OPTION, // double: 0 is "none"; JSON null
    CJ__FIELD_BOOL,   // bool, default false
    CJ__FIELD_SWITCH, // cj_switch; `fallback` 1 is CJ_ON
    CJ__FIELD_TEXT,   // const char *, default `text`
    // const char *: a spec in `catalog`; JSON: null, a name, or an object; default `text`
    CJ__FIELD_SPEC,
} cj__field_kind;

struct cj__catalog;

typedef struct cj__field {
    const char *key; // Keras's config key
    cj__field_kind kind;
    size_t offset;                     // in the arguments struct
    bool required;                     // zero or NULL is refused
    double fallback;                   // default of a number
    const char *text;                  // default of a text or spec
    const struct cj__catalog *catalog; // of a spec
    // range of a number, checked if low < high (both ends allowed)
    double low, high;
    bool hidden; // not written to JSON (ours, not Keras's)
} cj__field;

// One thing that can be chosen by a spec: its names and settings. Rooms embed this at the head of
// their own rows.
typedef struct cj__choice {
    const char *name;       // "he_normal"
    const char *class_name; // "HeNormal"
    const cj__field *fields;
    int field_count;
    size_t args_size; // of the arguments struct, at most CJ__ARGS_MAX
} cj__choice;

enum { CJ__ARGS_MAX = 256 };

// All the choices of one kind. Rows may be larger than cj__choice: `stride` bytes each. Aliases are
// further rows.
typedef struct cj__catalog {
    const char *what; // "initializer"
    const void *rows;
    size_t stride;
    int count;
} cj__catalog;

// A spec that has been understood: which row, and its resolved arguments.
typedef struct cj__chosen {
    const cj__choice *choice; // NULL for a NULL or empty spec
    _Alignas(16) unsigned char args[CJ__ARGS_MAX];
} cj__chosen;

// Finds a row by `name` or `class_name`. Records "unknown WHAT ...: did you mean ...?" and returns
// NULL otherwise.
const cj__choice *cj__catalog_find(const cj__catalog *catalog, const char *name);

// Understands a spec. `who` names the object in messages. Strings inside `chosen` are owned by it.
cj_status cj__spec_parse(const cj__catalog *catalog, const char *spec, const char *who,
                         cj__chosen *chosen);
void cj__chosen_free(cj__chosen *chosen);

// Writes the canonical spec of resolved arguments: the name alone if all are defaults. The caller
// frees (cj__free).
char *cj__spec_text(const cj__choice *choice, const void *args);

// Copies `args` into `resolved` (both of `size` bytes) and resolves and checks every field. On
// failure `resolved` holds nothing to free.
cj_status cj__fields_resolve(const cj__field *fields, int count, const void *args, void *resolved,
                             size_t size, const char *who);
// Frees the strings of resolved arguments.
void cj__fields_free(const cj__field *fields, int count, void *resolved);

// Sets one field of unresolved arguments from text ("0.9", "true", "3,3", "relu"); for specs and
// command lines. The strings it stores point into `value`.
cj_status cj__field_set(const cj__field *field, void *args, const char *value, const char *who);

#endif
