// JSON values, made and read with every failure noticed.
//
// jansson's own functions may be nested without looking at each result, and then a failed
// allocation leaves a list or an object without that entry. Here values are made through a
// *builder* that keeps the first failure: what follows it does nothing, and cj__json_end() says
// whether the whole is whole. jansson's parser in turn drops a character where it gets no memory
// for it, so text is read by a parser of our own (json_read.c) into jansson's values.
#ifndef CJ_FORMATS_JSON_BUILD_H
#define CJ_FORMATS_JSON_BUILD_H

#include <cajal/base.h>
#include <jansson.h>

typedef struct cj__json {
    cj_status status; // the first failure, whose sentence is recorded
    int values;       // made so far: no more than cj__json_parse() takes
} cj__json;           // starts as {0}

json_t *cj__json_object(cj__json *b);
json_t *cj__json_list(cj__json *b);
json_t *cj__json_text(cj__json *b, const char *text); // null for NULL; refuses what is not UTF-8
json_t *cj__json_int(cj__json *b, int64_t number);
json_t *cj__json_real(cj__json *b, double number); // null if it is infinite or NaN
// Any double, to be read back by cj__json_double_value() to the same number: infinities and NaN are
// texts.
json_t *cj__json_double(cj__json *b, double number);
double cj__json_double_value(const json_t *value); // NaN for what is no number
json_t *cj__json_bool(cj__json *b, bool truth);
json_t *cj__json_null(cj__json *b);

// Add `value`, which they take over, also on failure.
void cj__json_set(cj__json *b, json_t *object, const char *key, json_t *value);
void cj__json_append(cj__json *b, json_t *list, json_t *value);

// The finished value: NULL after a failure, and then `value` is dropped.
json_t *cj__json_end(const cj__json *b, json_t *value);

// The text of a value, to be freed with cj__free(); NULL after a failure. `flags` are jansson's.
char *cj__json_print(const json_t *value, size_t flags);

// The value that a text holds: one JSON value of RFC 8259 with objects whose keys differ. Numbers
// must be finite, whole ones within 64 bits, and no text holds the character 0. CJ_BAD_FILE says
// what is wrong in which line; CJ_UNSUPPORTED if it is nested more than CJ__JSON_LEVELS_MAX deep or
// has more than CJ__JSON_VALUES_MAX values.
cj_status cj__json_parse(const char *text, size_t length, json_t **value);

enum { CJ__JSON_LEVELS_MAX = 1000, CJ__JSON_VALUES_MAX = 1 << 22 };

#endif
