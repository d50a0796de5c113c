// The words of cajal/ops_shape.h whose meaning is written as text or as places: get_item, slice_update,
// rearrange.
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_shape.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// ---- get_item ----

// One part of a key between commas.
typedef enum part_kind { PART_NUMBER, PART_SLICE, PART_NEW, PART_REST } part_kind;
typedef struct part {
    part_kind kind;
    bool given[3]; // begin, end, step of a slice; the first of a number
    int64_t numbers[3];
} part;

enum { PARTS = CJ__ITEMS_MAX };

static void skip_space(const char **text)
{
    while (isspace((unsigned char)**text))
        ++*text;
}

static bool read_number(const char **text, int64_t *number)
{
    char *end;
    *number = strtoll(*text, &end, 10);
    const bool read = end != *text && *number > INT32_MIN && *number < INT32_MAX;
    *text = end;
    skip_space(text);
    return read;
}

static bool starts(const char **text, const char *word)
{
    const size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    skip_space(text);
    return true;
}

static bool read_part(const char **text, part *p)
{
    *p = (part){PART_NUMBER, {false}, {0}};
    skip_space(text);
    if (starts(text, "...")) {
        p->kind = PART_REST;
        return true;
    }
    if (starts(text, "None")) {
        p->kind = PART_NEW;
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (**text == '-' || isdigit((unsigned char)**text)) {
            if (!read_number(text, &p->numbers[i]))
                return false;
            p->given[i] = true;
        }
        if (!starts(text, ":"))
            return p->kind == PART_SLICE || p->given[0];
        p->kind = PART_SLICE;
    }
    return false;
}

// The parts of a key; -1 if it is none.
static int read_key(const char *text, part *parts)
{
    int count = 0;
    skip_space(&text);
    while (*text) {
        if (count == PARTS || !read_part(&text, &parts[count++]))
            return -1;
        if (*text && !starts(&text, ","))
            return -1;
    }
    return count;
}

// Python's limits of a slice.
static int64_t limited(int64_t place, int64_t n, int64_t low, int64_t high)
{
    place += place < 0 ? n : 0;
    return place < low ? low : place > high ? high : place;
}

static cj_symbol *sliced(cj__build *g, cj_symbol *x, int axis, const part *p)
{
    const int64_t n = cj_symbol_shape(x)->dims[axis], step = p->given[2] ? p->numbers[2] : 1;
    const bool back = step < 0;
    if (!p->given[0] && !p->given[1] && step == 1)
        return x;
    if (step == 0 || n < 0)
        return cj__word_refuse(
            g, n < 0 ? cj__fail(CJ_INVALID_ARGUMENT,
                                "get_item: axis %d is the free one, of which all is taken", axis) :
                       cj__fail(CJ_INVALID_ARGUMENT, "get_item: a step of 0"));
    const int64_t low = back ? -1 : 0, high = back ? n - 1 : n;
    const int64_t begin = p->given[0] ? limited(p->numbers[0], n, low, high) : back ? high : low;
    const int64_t end = p->given[1] ? limited(p->numbers[1], n, low, high) : back ? low : high;
    const int64_t apart = back ? begin - end : end - begin, size = back ? -step : step;
    const int64_t count = apart > 0 ? (apart + size - 1) / size : 0;
    if (step == 1 || count == 0)
        return cj__slice(g, x, axis, count ? begin : 0, count);
    cj_symbol *places = cj__word_range(g, 0, count);
    cj_symbol *steps = cj__word_ints(g, &step, 1), *first = cj__word_ints(g, &begin, 1);
    places = cj__apply_integer(g, CJ__INTEGER_multiply, places, steps);
    places = cj__apply_integer(g, CJ__INTEGER_add, places, first);
    return cj__take_along(g, x, cj__word_along(g, places, cj_symbol_shape(x)->rank, axis), axis);
}

static cj_symbol *entry_of(cj__build *g, cj_symbol *x, int axis, int64_t index)
{
    const int64_t n = cj_symbol_shape(x)->dims[axis];
    if (n < 0 || index < -n || index >= n)
        return cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                           "get_item: entry %lld of axis %d of length %lld",
                                           (long long)index, axis, (long long)n));
    return cj__slice(g, x, axis, index < 0 ? index + n : index, 1);
}

// Takes the parts in turn; `left` axes are without a part but for "...".
static cj_symbol *item_of(cj__build *g, cj_symbol *x, const part *parts, int count, int left)
{
    cj_shape shape = {0};
    int axis = 0;
    for (int i = 0; i <= count && x; i++) {
        int all = i == count ? cj_symbol_shape(x)->rank - axis : 0;
        if (i < count && parts[i].kind == PART_REST)
            all = left;
        for (; all > 0 && shape.rank < CJ_MAX_RANK; all--)
            shape.dims[shape.rank++] = cj_symbol_shape(x)->dims[axis++];
        if (i == count || parts[i].kind == PART_REST)
            continue;
        if (shape.rank == CJ_MAX_RANK)
            return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                               "get_item: the result would have more than %d axes",
                                               CJ_MAX_RANK));
        if (parts[i].kind == PART_NEW)
            shape.dims[shape.rank++] = 1;
        else if (parts[i].kind == PART_NUMBER)
            x = entry_of(g, x, axis++, parts[i].numbers[0]);
        else if ((x = sliced(g, x, axis, &parts[i])))
            shape.dims[shape.rank++] = cj_symbol_shape(x)->dims[axis++];
    }
    return x ? cj__reshape(g, x, &shape) : NULL;
}

static cj__item_settings settings_of(const part *parts, int count)
{
    cj__item_settings s = {.count = count};
    for (int i = 0; i < count; i++) {
        struct cj__item *item = &s.items[i];
        *item = (struct cj__item){.from = parts[i].given[0],
                                  .to = parts[i].given[1],
                                  .start = parts[i].numbers[0],
                                  .stop = parts[i].numbers[1],
                                  .step = parts[i].given[2] ? parts[i].numbers[2] : 1};
        item->kind = parts[i].kind == PART_NUMBER ? CJ__ITEM_INDEX :
                     parts[i].kind == PART_SLICE  ? CJ__ITEM_SLICE :
                     parts[i].kind == PART_NEW    ? CJ__ITEM_NEW :
                                                    CJ__ITEM_REST;
    }
    return s;
}

cj_symbol *cj_op_get_item(cj_symbol *x, const char *key)
{
    part parts[PARTS];
    cj__item_settings settings = {.count = 0};
    CJ__TAKE(x)
    {
        const int rank = cj_symbol_shape(x)->rank, count = key ? read_key(key, parts) : 0;
        int used = 0, rests = 0;
        for (int i = 0; i < count; i++) {
            used += parts[i].kind == PART_NUMBER || parts[i].kind == PART_SLICE;
            rests += parts[i].kind == PART_REST;
        }
        if (!key)
            cj__build_refuse(g, cj__fail_null_of("get_item", "the key"));
        else if (count < 0 || rests > 1)
            cj__build_refuse(
                g, cj__fail(CJ_INVALID_ARGUMENT,
                            "get_item: \"%s\" is no key such as \"0, 1:-1, ..., None\"", key));
        else if (used > rank)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "get_item: \"%s\" names %d axes, the symbol has %d", key,
                                         used, rank));
        else {
            y = item_of(g, x, parts, count, rank - used);
            settings = settings_of(parts, count);
        }
    }
    CJ__GIVE_OF(get_item, x, &settings);
}

// ---- slice_update ----

cj_symbol *cj_op_slice_update(cj_symbol *x, const int64_t *starts_at, int count, cj_symbol *updates)
{
    cj_symbol *const both[] = {x, updates};
    double numbers[CJ_MAX_RANK];
    cj__places_settings settings = {.parts = 0};
    CJ__TAKE_2(x, updates)
    {
        const cj_shape *shape = cj_symbol_shape(x), *own = cj_symbol_shape(updates);
        if (!starts_at)
            cj__build_refuse(g, cj__fail_null_of("slice_update", "the list of starts"));
        else if (count != shape->rank || own->rank != shape->rank)
            cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                         "slice_update: %d starts and updates of %d axes for a "
                                         "symbol of %d",
                                         count, own->rank, shape->rank));
        cj_symbol *put = cj__cast(g, updates, cj_symbol_dtype(x));
        cj_symbol *here =
            cj__cast(g, cj__broadcast_like(g, cj__scalar(g, CJ_F32, 1), updates), CJ_BOOL);
        for (int i = 0; i < shape->rank && g->status == CJ_OK; i++) {
            const int64_t n = shape->dims[i], length = own->dims[i];
            const bool whole = length == n && starts_at[i] == 0;
            if (whole)
                continue;
            if (n < 0 || length < 0 || starts_at[i] < 0 || starts_at[i] > n - length) {
                cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                             "slice_update: %lld entries from %lld do not lie in "
                                             "axis %d of length %lld",
                                             (long long)length, (long long)starts_at[i], i,
                                             (long long)n));
                break;
            }
            put = cj__pad(g, put, i, starts_at[i], n - length - starts_at[i]);
            here = cj__pad(g, here, i, starts_at[i], n - length - starts_at[i]);
        }
        y = g->status == CJ_OK ? cj__word_choose(g, here, put, x) : NULL;
        settings.first = cj__numbers_of(starts_at, y ? count : 0, numbers);
    }
    CJ__GIVE_WORD(slice_update, both, 2, &settings);
}

// ---- rearrange ----

enum { NAMES = 2 * CJ_MAX_RANK, NAME_SIZE = 32 };

// One side of a pattern: names, and for each the group, an axis of the symbol, that it is part of.
typedef struct side {
    int count, groups;
    char names[NAMES][NAME_SIZE];
    int group[NAMES];
    int64_t lengths[NAMES];
} side;

static bool read_side(const char **text, side *s)
{
    bool inside = false;
    *s = (side){0};
    for (skip_space(text); **text && strncmp(*text, "->", 2) != 0; skip_space(text)) {
        if (**text == '(' || **text == ')') {
            if (inside == (**text == '('))
                return false;
            inside = **text == '(';
            s->groups += !inside;
            ++*text;
            continue;
        }
        size_t length = 0;
        while (isalnum((unsigned char)(*text)[length]) || (*text)[length] == '_')
            length++;
        if (length == 0 || length >= NAME_SIZE || s->count == NAMES || s->groups == CJ_MAX_RANK)
            return false;
        memcpy(s->names[s->count], *text, length);
        s->lengths[s->count] = strcmp(s->names[s->count], "1") == 0 ? 1 : 0;
        s->group[s->count++] = s->groups;
        s->groups += !inside;
        *text += length;
    }
    return !inside;
}

static int find(const side *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->names[i], name) == 0)
            return i;
    return -1;
}

// "h=4 w=2", divided by spaces or commas.
static bool read_lengths(const char *text, side *s)
{
    while (text && (skip_space(&text), *text)) {
        char name[NAME_SIZE] = "";
        size_t length = strcspn(text, "= ");
        int64_t number = 0;
        if (length >= NAME_SIZE || text[length] != '=')
            return false;
        memcpy(name, text, length);
        text += length + 1;
        const int i = find(s, name);
        if (i < 0 || !read_number(&text, &number) || number < 1)
            return false;
        s->lengths[i] = number;
        if (*text == ',')
            text++;
    }
    return true;
}

// Works out the length that is missing in each group of the left side. 0: not known.
static bool fill_lengths(const cj_shape *shape, side *s)
{
    for (int group = 0; group < s->groups; group++) {
        int64_t known = 1, whole = shape->dims[group];
        int missing = -1;
        for (int i = 0; i < s->count; i++)
            if (s->group[i] == group) {
                if (s->lengths[i] > 0)
                    known *= s->lengths[i];
                else if (missing < 0)
                    missing = i;
                else
                    return false;
            }
        if (whole % known != 0 || (missing < 0 && whole != known))
            return false;
        if (missing >= 0)
            s->lengths[missing] = whole / known;
    }
    return true;
}

static cj_symbol *rearranged(cj__build *g, cj_symbol *x, const side *from, const side *to)
{
    cj_shape apart = {0}, together = {.rank = to->groups};
    int order[NAMES];
    for (int i = 0; i < from->count; i++)
        apart.dims[apart.rank++] = from->lengths[i];
    for (int i = 0; i < to->groups; i++)
        together.dims[i] = 1;
    for (int i = 0; i < to->count; i++) {
        order[i] = find(from, to->names[i]);
        together.dims[to->group[i]] *= from->lengths[order[i]];
    }
    x = cj__transpose(g, cj__reshape(g, x, &apart), order);
    return cj__reshape(g, x, &together);
}

// Whether both sides have the same names, each once.
static bool same_names(const side *a, const side *b)
{
    for (int i = 0; i < a->count; i++)
        if (find(b, a->names[i]) < 0 || find(a, a->names[i]) != i)
            return false;
    for (int i = 0; i < b->count; i++)
        if (find(b, b->names[i]) != i)
            return false;
    return a->count == b->count;
}

cj_symbol *cj_op_rearrange(cj_symbol *x, const char *pattern, const char *lengths)
{
    CJ__TAKE(x)
    {
        side from, to;
        const char *text = pattern;
        if (!pattern)
            cj__build_refuse(g, cj__fail_null_of("rearrange", "the pattern"));
        else if (!read_side(&text, &from) || !starts(&text, "->") || !read_side(&text, &to) ||
                 *text || !same_names(&from, &to) || from.count > CJ_MAX_RANK)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "rearrange: \"%s\" is no pattern such as \"b (h w) c -> b "
                                         "h w c\"",
                                         pattern));
        else if (from.groups != cj_symbol_shape(x)->rank || !read_lengths(lengths, &from) ||
                 !fill_lengths(cj_symbol_shape(x), &from)) {
            char words[CJ__SHAPE_TEXT];
            cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                         "rearrange: \"%s\" with lengths \"%s\" does not fit %s",
                                         pattern, lengths ? lengths : "",
                                         cj__shape_words(cj_symbol_shape(x), words)));
        } else {
            y = rearranged(g, x, &from, &to);
        }
    }
    CJ__GIVE_OF(rearrange, x, (&(cj__rearrange_settings){pattern, lengths}));
}
