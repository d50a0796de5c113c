// Inside the ops room: what the files of rows (word_rows_*.c) share.
#ifndef CJ_OPS_WORD_ROWS_H
#define CJ_OPS_WORD_ROWS_H

#include "ops/word_settings.h"

// The names of operands, and of settings that are arguments of the call.
#define CJ__NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

// A field whose key is not its member's name.
#define CJ__KEYED(settings, member, name, ...)                                 \
    {                                                                          \
        .key = name, .offset = offsetof(settings, member), .kind = __VA_ARGS__ \
    }
// Whole numbers of any count: one alone is a number in JSON, or with the second a list too.
#define CJ__WHOLE_NUMBERS(settings, member, ...)                                                \
    CJ__FIELD(settings, member, CJ__FIELD_NUMBERS, .whole = true, .scalar = true, .low = -1e15, \
              .high = 1e15, __VA_ARGS__)
#define CJ__WHOLE_LIST(settings, member) \
    CJ__FIELD(settings, member, CJ__FIELD_NUMBERS, .whole = true, .low = -1e15, .high = 1e15)
#define CJ__AN_AXIS .low = -CJ_MAX_RANK, .high = CJ_MAX_RANK - 1

// The start of a function that makes a word: settings `s` of a type.
#define CJ__MAKE(name)                                                              \
    static cj_symbol *make_##name(const cj__word *word, cj_symbol *const *x, int n, \
                                  const void *settings)
#define CJ__MAKE_MANY(name)                                                        \
    static cj_status make_##name(const cj__word *word, cj_symbol *const *x, int n, \
                                 const void *settings, cj_symbol **results, int *count)
#define CJ__SETTINGS(type)    \
    const type *s = settings; \
    (void)word, (void)n, (void)x

// A word that an expression of its operands x and settings s makes.
#define CJ__MADE(name, type, expression) \
    CJ__MAKE(name)                       \
    {                                    \
        CJ__SETTINGS(type);              \
        return expression;               \
    }
// The row of a word of `count` operands with such a function; further members follow.
#define CJ__ROW(name, class, of, names, count, fields, defaults, ...)                       \
    const cj__word cj__word_##name = {.choice = CJ__CHOICE(#name, class, fields, defaults), \
                                      .module = of,                                         \
                                      .operands = names,                                    \
                                      .least = count,                                       \
                                      .most = count,                                        \
                                      __VA_ARGS__};
#define CJ__DOES(name)      .make = make_##name
#define CJ__DOES_MANY(name) .make_many = make_##name
// A word of x along one axis, or with none along all elements as one line: cj_op_NAME(line, axis).
#define CJ__ALONG(name, class, fields, defaults, ...)                                    \
    CJ__MAKE(name)                                                                       \
    {                                                                                    \
        int axis = 0;                                                                    \
        CJ__SETTINGS(cj__axes_settings);                                                 \
        cj_symbol *line = cj__word_line(#name, x[0], s->axis, &axis);                    \
        return cj_op_##name(line, axis);                                                 \
    }                                                                                    \
    CJ__ROW(name, class, CJ__NUMPY, CJ__NAMES("x"), 1, fields, defaults, CJ__DOES(name), \
            __VA_ARGS__)

// A failure, whose sentence is recorded: the operands go.
cj_symbol *cj__word_drop_made(cj_symbol *const *x, int n);
// x for a word along the only axis of its settings, *axis; with none x as one axis, and 0. NULL with a
// sentence for several axes.
cj_symbol *cj__word_line(const char *who, cj_symbol *x, const int64_t *axes, int *axis);
// The axes of settings as a list of the public functions: NULL for none, which means all.
const int *cj__word_axes_list(const int64_t *axes, int *list);
// The dtype of that name; false with a sentence.
bool cj__word_dtype(const char *who, const char *name, cj_dtype *dtype);
// Whole numbers as such: at most `most`, the last one of which is repeated up to `least`. How many there
// are; -1 with a sentence if there are more, or none at all.
int cj__word_whole(const char *who, const char *what, const cj_numbers *numbers, int64_t *out,
                   int least, int most);

#endif
