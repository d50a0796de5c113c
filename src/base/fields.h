// Settings described by data. An arguments struct (cj_dense_args, ...) has a table of fields and a
// struct of defaults; from these come its checks, the parsing of specs such as
// "sgd(learning_rate=0.1)", and (in formats/) its JSON.
//
// A value is what it says: 0 is 0, false is false, and a value that equals the default is that
// value. What may be absent has a value for it: INFINITY for no limit, -1 for no seed, NULL for no
// text. "Resolving" checks values, turns {3} into {3, 3}, and copies strings. Code after the check
// of a public function reads resolved arguments only.
#ifndef CJ_BASE_FIELDS_H
#define CJ_BASE_FIELDS_H

#include <cajal/numbers.h>
#include <cajal/texts.h>
#include <stddef.h>

typedef enum cj__field_kind {
    CJ__FIELD_INT,   // int64_t
    CJ__FIELD_INT32, // int
    CJ__FIELD_SEED,  // int64_t, not negative; -1 is "none", JSON null
    // int64_t[2]; a second entry of 0 repeats the first; JSON: number or list of two
    CJ__FIELD_PAIR,
    CJ__FIELD_TRIPLE, // int64_t[3]; entries of 0 repeat the first; JSON: number or list of three
    // int64_t[rows][columns], not negative, 0 is 0; JSON: lists of a row each, a number for all of a
    // row or of all; of one column a list. With `optional` -1 first is "none", JSON null.
    CJ__FIELD_AMOUNTS,
    CJ__FIELD_LIST, // int64_t[8] ended by 0; JSON: list
    // const char *: numbers of any count as text, "0.2, 0.5", which cj__numbers_read() reads; NULL
    // is "none"; JSON: null, a number or a list
    CJ__FIELD_NUMBER_TEXT,
    // int64_t[9]: how many axes, then these, each at least -8 and at most 7; JSON: number or list.
    // With `optional` none are "none", JSON null.
    CJ__FIELD_AXES,
    CJ__FIELD_NUMBER,      // double
    CJ__FIELD_NUMBERS,     // cj_numbers; no numbers are "none", JSON null
    CJ__FIELD_FEW_NUMBERS, // double[9]: how many, then these; JSON: list
    // double, or instead of it a spec in `catalog` at the offset `other`; JSON: number or object
    CJ__FIELD_RATE,
    CJ__FIELD_LIMIT, // double; INFINITY is "none", JSON null
    CJ__FIELD_BOOL,  // bool
    CJ__FIELD_TEXT,  // const char *
    CJ__FIELD_TEXTS, // cj_texts: UTF-8 without zeros; no texts are "none", JSON null
    CJ__FIELD_SPEC,  // const char *: a spec in `catalog`; JSON: null, a name, or an object
} cj__field_kind;

struct cj__catalog;

typedef struct cj__field {
    const char *key; // Keras's config key
    cj__field_kind kind;
    size_t offset; // in the arguments struct
    bool required; // NULL, NaN, or an int or pair of zeros is refused
    // a pair or triple of zeros is taken as it is; an entry of -1 of a list is JSON null
    bool optional;
    // of amounts; numbers with `columns` are whole, and rows of so many in JSON; with `rows` alone they
    // are so many rows
    int rows, columns;
    size_t other; // offset of a rate's spec
    // of numbers: the offset of a double that is the setting where there are none, NaN for none
    // either; 0 for no such member. Of a text likewise, a whole number, INFINITY for none either.
    size_t single;
    bool scalar; // of numbers: JSON has one alone as a number, not as a list
    // of a limit, or of each number of a list: a whole number of at most 2^53 either way
    bool whole;
    bool up_to;                        // of a list: n alone in JSON is 1, 2, ... n
    const struct cj__catalog *catalog; // of a spec
    // range of a number, checked if low < high (both ends allowed)
    double low, high;
    const char *const *words; // of a text: what it may be, ended by NULL; NULL for anything
    bool hidden;              // not written to JSON (ours, not Keras's)
} cj__field;

// A key of a Keras config that is no field's: an older name of a field, a setting of Keras that
// Cajal has with one value only, or one that changes nothing here.
typedef struct cj__config_key {
    const char *key;
    const char *field; // the field that it is another name of, or NULL
    int part;          // 1 or 2: that entry of a pair; 0 for the whole field
    const char *only;  // the only value that is taken beside null ("false", "0", "channels_last");
                       // NULL without `field`: any value, since it changes nothing
} cj__config_key;
#define CJ__KEY_RENAMED(older, now) \
    {                               \
        .key = older, .field = now  \
    }
#define CJ__KEY_PART(older, now, which)           \
    {                                             \
        .key = older, .field = now, .part = which \
    }
#define CJ__KEY_ONLY(name, value)  \
    {                              \
        .key = name, .only = value \
    }
#define CJ__KEY_HARMLESS(name) \
    {                          \
        .key = name            \
    }

// A row of a table: CJ__FIELD(cj_dense_args, units, CJ__FIELD_INT, .required = true).
#define CJ__FIELD(args, member, ...)                                          \
    {                                                                         \
        .key = #member, .offset = offsetof(args, member), .kind = __VA_ARGS__ \
    }
// The row of a spec, chosen from the catalog `from`.
#define CJ__SPEC_FIELD(args, member, from) CJ__FIELD(args, member, CJ__FIELD_SPEC, .catalog = &from)
// Ranges.
#define CJ__POSITIVE                       .low = 1, .high = 1e15
#define CJ__NOT_NEGATIVE                   .low = 0, .high = 1e30
#define CJ__SHARE                          .low = 0, .high = 1

// The defaults of a public arguments struct: the object `dense_defaults` and the function
// cj_dense_defaults(), both from CJ_DENSE_DEFAULTS.
#define CJ__DEFAULTS(name, NAME)                                            \
    static const cj_##name##_args name##_defaults = {CJ_##NAME##_DEFAULTS}; \
    void cj_##name##_defaults(cj_##name##_args *args)                       \
    {                                                                       \
        if (args)                                                           \
            *args = name##_defaults;                                        \
    }

// One thing that can be chosen by a spec: its names and settings. Rooms embed this at the head of
// their own rows.
typedef struct cj__choice {
    const char *name;       // "he_normal"
    const char *class_name; // "HeNormal"
    const cj__field *fields;
    int field_count;
    const void *defaults; // of the arguments struct; NULL if there are no fields
    size_t args_size;     // of the arguments struct; of a spec at most CJ__ARGS_MAX
} cj__choice;

// A choice with settings: its table of fields and the object of its defaults.
#define CJ__CHOICE(plain, class, table, standard)                                    \
    {                                                                                \
        .name = plain, .class_name = class, .fields = table,                         \
        .field_count = (int)(sizeof table / sizeof table[0]), .defaults = &standard, \
        .args_size = sizeof standard                                                 \
    }
// A choice without settings.
#define CJ__PLAIN_CHOICE(plain, class)     \
    {                                      \
        .name = plain, .class_name = class \
    }

enum { CJ__ARGS_MAX = 384 };

// All the choices of one kind. Rows may be larger than cj__choice: `stride` bytes each. Aliases are
// further rows.
typedef struct cj__catalog {
    const char *what; // "initializer"
    const void *rows;
    size_t stride;
    int count;
    const char *module;         // in Keras's configs; NULL: "keras.<what>s"
    const cj__config_key *keys; // of the configs of all rows, ended by a row without a key; or NULL
    // Further rows, which a program registers, by name: NULL for one that is not there. `how` says
    // what registers them. Both NULL where there are none.
    const cj__choice *(*registered)(const char *name);
    const char *how;
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

// Resolves and checks every field of `args`, whose strings become copies. On failure `args` holds
// nothing to free.
cj_status cj__fields_resolve(const cj__field *fields, int count, void *args, const char *who);
// Frees the strings of resolved arguments.
void cj__fields_free(const cj__field *fields, int count, void *resolved);

// The numbers in a text such as "(0.2, 0.5)", "[1, 2]" or "3": writes up to `capacity` of them, which
// may be 0, and returns how many there are; -1 if something else is between them.
int cj__numbers_read(const char *text, double *numbers, int capacity);

// Sets one field of unresolved arguments from text ("0.9", "true", "3,3", "relu"); for specs and
// command lines. The strings that it stores point into `value`.
cj_status cj__field_set(const cj__field *field, void *args, const char *value, const char *who);

#endif
