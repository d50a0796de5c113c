// Words: the operators of keras.ops as users write them. One word may be several ops, so a functional
// model that has one between its layers needs more than the nodes to show it, to make it again and to
// write it as Keras does: a symbol that was made by a word from a model's symbols remembers the word,
// its operands and its settings.
//
// A word is a row: names, settings as fields (they are Keras's config) and the public function that
// makes it. The rows of this room are in words.def; those of activations are in the layers' room.
#ifndef CJ_OPS_WORD_H
#define CJ_OPS_WORD_H

#include "base/fields.h"
#include "ops/symbol.h"

typedef struct cj__word {
    // name "reduce_sum", class_name "Sum" (Keras's operation), and its settings
    cj__choice choice;
    const cj__catalog *catalog; // if not NULL the settings are those of its row of that name
    const char *module;         // Keras's, of the class
    const char *other_class;    // another class of Keras that is read as this one; or NULL
    // Keras's names of the symbols in its call, ended by NULL; of a list one name
    const char *const *operands;
    int lists;       // the symbols are so many lists of one length, 1 or 2; 0: they are none
    int least, most; // how many symbols
    int by_place;    // so many are given by their places, the others by name; 0: all
    // Operands may be left out: the settings begin with an int64_t that has a bit for each that is
    // there, 0 for the first ones.
    bool some;
    // The names of the call's arguments in their order, ended by NULL; NULL: operands, call_settings
    const char *const *call;
    const cj__config_key
        *keys; // further keys of Keras's config, ended by a row without a key; or NULL
    // Settings that Keras has as arguments of the call and not in the config; ended by NULL, or NULL.
    const char *const *call_settings;
    // One of these, a text such as "h=2 w=3": each pair is an argument of the call. NULL for none
    const char *pairs;
    // The operands have one dtype: constants of whole numbers take that of the others.
    bool one_dtype;
    bool by_key; // its settings are a key, as in x[1:3]: cj__item_settings
    // Calls the public function. `settings` are resolved.
    cj_symbol *(*make)(const struct cj__word *word, cj_symbol *const *x, int count,
                       const void *settings);
    // Instead of `make`, of a word with several results, whose number it sets: at most so many as
    // `many` says, or without it CJ__OP_IO_MAX.
    int64_t (*many)(cj_symbol *const *x, const void *settings);
    cj_status (*make_many)(const struct cj__word *word, cj_symbol *const *x, int count,
                           const void *settings, cj_symbol **results, int *result_count);
} cj__word;

#define CJ__WORD(name) extern const cj__word cj__word_##name;
#include "ops/words.def"
#undef CJ__WORD

// All words of this room, ended by NULL.
extern const cj__word *const cj__op_words[];

// The row that describes a word's settings.
const cj__choice *cj__word_settings(const cj__word *word);

// A word that was applied: what a symbol that it made holds as its history.
typedef struct cj__applied {
    cj__object object;
    const cj__word *word;
    void *settings; // resolved, owned; NULL for a word without any
    int input_count;
    cj_symbol **inputs; // held
    void *layer;        // an object held for the layers' room, once it was asked for
} cj__applied;

// The application that made a symbol; NULL if none is remembered.
cj__applied *cj__symbol_applied(const cj_symbol *symbol);

// Resolved copies of a word's settings, owned; NULL with a sentence.
void *cj__word_resolve(const cj__word *word, const void *settings, const char *who);
void cj__word_free_settings(const cj__word *word, void *settings);

// Ends a word as cj__build_result() does, and notes it if one of the operands is a symbol of a model.
cj_symbol *cj__word_result(cj__build *g, cj_symbol *y, const cj__word *word,
                           cj_symbol *const *inputs, int count, const void *settings);
// The same of several results, which are replaced by those for the caller; all NULL after a failure,
// and then false: the status is cj_error_status().
bool cj__word_results(cj__build *g, cj_symbol **y, int results, const cj__word *word,
                      cj_symbol *const *inputs, int count, const void *settings);
// The same for words that return a status: `results` symbols are given at `outputs`, or NULL.
cj_status cj__word_give_as(cj__build *g, cj_symbol *const *symbols, int results,
                           cj_symbol **outputs, const cj__word *word, cj_symbol *const *inputs,
                           int count, const void *settings);

// ---- For rows ----

#define CJ__NUMPY "keras.src.ops.numpy"
#define CJ__NN    "keras.src.ops.nn"
#define CJ__CORE  "keras.src.ops.core"
#define CJ__MATH  "keras.src.ops.math"

// A word of one symbol, or of two, without settings. Of the last two `other` is another class of Keras
// that is read as it, or NULL.
#define CJ__UNARY_WORD(function, class, of, operand)                                        \
    static cj_symbol *make_##function(const cj__word *word, cj_symbol *const *x, int n,     \
                                      const void *settings)                                 \
    {                                                                                       \
        (void)word, (void)n, (void)settings;                                                \
        return cj_op_##function(x[0]);                                                      \
    }                                                                                       \
    const cj__word cj__word_##function = {.choice = CJ__PLAIN_CHOICE(#function, class),     \
                                          .module = of,                                     \
                                          .operands = (const char *const[]){operand, NULL}, \
                                          .least = 1,                                       \
                                          .most = 1,                                        \
                                          .make = make_##function};
#define CJ__BINARY_WORD(function, class, of) CJ__BINARY_WORD_TOO(function, class, of, NULL)
#define CJ__BINARY_WORD_TOO(function, class, of, other) \
    CJ__PAIR_WORD(function, class, of, "x1", "x2", other)
#define CJ__PAIR_WORD(function, class, of, first, second, other)                                  \
    static cj_symbol *make_##function(const cj__word *word, cj_symbol *const *x, int n,           \
                                      const void *settings)                                       \
    {                                                                                             \
        (void)word, (void)n, (void)settings;                                                      \
        return cj_op_##function(x[0], x[1]);                                                      \
    }                                                                                             \
    const cj__word cj__word_##function = {.choice = CJ__PLAIN_CHOICE(#function, class),           \
                                          .module = of,                                           \
                                          .other_class = other,                                   \
                                          .operands = (const char *const[]){first, second, NULL}, \
                                          .least = 2,                                             \
                                          .most = 2,                                              \
                                          .make = make_##function};

// Settings of several words. `axis` of the first is how many axes, then these (CJ__FIELD_AXES); none
// means all.
typedef struct cj__axes_settings {
    int64_t axis[1 + CJ_MAX_RANK];
    bool keepdims;
} cj__axes_settings;
typedef struct cj__axis_settings {
    int64_t axis;
    bool keepdims;
} cj__axis_settings;
// What x[...] has between its brackets, an entry for each axis; -1, 0, 1 of `part` are what is left
// out (None) or given.
enum { CJ__ITEMS_MAX = 2 * CJ_MAX_RANK };
typedef struct cj__item_settings {
    int64_t count;
    struct cj__item {
        enum { CJ__ITEM_SLICE, CJ__ITEM_INDEX, CJ__ITEM_NEW, CJ__ITEM_REST } kind;
        bool from, to;             // whether start and stop are given
        int64_t start, stop, step; // an index is `start`
    } items[CJ__ITEMS_MAX];
} cj__item_settings;

// The axes that a word was given as settings.
cj__axes_settings cj__axes_of(const int *axes, int count);
// Whole numbers as a setting: those of a list, put at `out`.
cj_numbers cj__numbers_of(const int64_t *numbers, int count, double *out);
// A reduction by one of the public functions, with its axes kept as 1 if the settings say so.
cj_symbol *cj__make_reduction(cj_symbol *(*function)(cj_symbol *, const int *, int), cj_symbol *x,
                              const cj__axes_settings *settings);

#endif
