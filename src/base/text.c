// Growing text, near names, and Keras's snake case.
#include "base/text.h"

#include "base/error.h"
#include "base/memory.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool make_room(cj__text *text, size_t more)
{
    size_t needed = 0;
    if (text->failed || __builtin_add_overflow(text->length + 1, more, &needed) ||
        !cj__reserve((void **)&text->data, &text->capacity, needed, 1)) {
        text->failed = true;
        return false;
    }
    return true;
}

void cj__text_add_bytes(cj__text *text, const char *bytes, size_t length)
{
    if (!make_room(text, length))
        return;
    if (length != 0)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void cj__text_add(cj__text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        text->failed = true;
    else if (make_room(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

cj_status cj__text_status(const cj__text *text)
{
    return text->failed ? cj__fail_memory(text->capacity, "text") : CJ_OK;
}

void cj__text_free(cj__text *text)
{
    cj__free(text->data);
    *text = (cj__text){0};
}

enum { NAME_MAX_LENGTH = 63 };

// Edits (insert, delete, replace, swap of neighbours) that turn a into b: Damerau 1964, restricted
// form.
static int edits(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m > NAME_MAX_LENGTH || n > NAME_MAX_LENGTH)
        return INT_MAX;
    int rows[3][NAME_MAX_LENGTH + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= m; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            int best = above[j - 1] + !same;
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        int *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[n];
}

static const char *name_at(const void *names, size_t stride, int index)
{
    return *(const char *const *)((const char *)names + (size_t)index * stride);
}

const char *cj__nearest(const char *name, const void *names, size_t stride, int count)
{
    const char *nearest = NULL;
    // one letter and a third of them may be wrong
    int least = (int)(strlen(name) / 3) + 2;
    for (int i = 0; i < count; i++) {
        int distance = edits(name, name_at(names, stride, i));
        if (distance < least) {
            least = distance;
            nearest = name_at(names, stride, i);
        }
    }
    return nearest;
}

enum { FEW_NAMES = 40, NEAREST = 5 };

// The names with the least edits, nearest first.
static void list_nearest(const char *name, const void *names, size_t stride, int count, char *list,
                         size_t size)
{
    int nearest[NEAREST] = {0}, distances[NEAREST], found = 0;
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        const int distance = edits(name, name_at(names, stride, i));
        int at = found;
        while (at > 0 && distances[at - 1] > distance)
            at--;
        if (at == NEAREST)
            continue;
        found += found < NEAREST;
        for (int j = found - 1; j > at; j--) {
            nearest[j] = nearest[j - 1];
            distances[j] = distances[j - 1];
        }
        nearest[at] = i;
        distances[at] = distance;
    }
    for (int i = 0; i < found; i++)
        used += (size_t)snprintf(list + used, size - used, "%s%.48s", i != 0 ? ", " : "",
                                 name_at(names, stride, nearest[i]));
}

cj_status cj__fail_unknown(cj_status status, const char *what, const char *name, const void *names,
                           size_t stride, int count)
{
    const char *nearest = cj__nearest(name, names, stride, count);
    if (nearest)
        return cj__fail(status, "unknown %s \"%.200s\": did you mean \"%s\"?", what, name, nearest);
    char list[600] = "";
    if (count > FEW_NAMES) {
        list_nearest(name, names, stride, count, list, sizeof list);
        return cj__fail(status, "unknown %s \"%.200s\": there are %d, %s among them", what, name,
                        count, list);
    }
    size_t used = 0;
    for (int i = 0; i < count && used + 64 < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.48s", i != 0 ? ", " : "",
                                 name_at(names, stride, i));
    return cj__fail(status, "unknown %s \"%.200s\": there are %s", what, name, list);
}

// Keras: an underscore before a capital that starts a word, and before a capital that follows a
// small letter or digit; see keras/src/utils/naming.py.
void cj__snake_case(const char *camel, char *snake, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; camel[i] != '\0' && used + 2 < size; i++) {
        unsigned char c = (unsigned char)camel[i], next = (unsigned char)camel[i + 1];
        unsigned char former = i != 0 ? (unsigned char)camel[i - 1] : 0;
        bool word = isupper(c) && next != 0 && islower(next);
        bool after_small = isupper(c) && (islower(former) || (isdigit(former) && word));
        if (i != 0 && former != '_' && (word || after_small))
            snake[used++] = '_';
        snake[used++] = (char)tolower(c);
    }
    snake[used] = '\0';
}

// The bytes of the UTF-8 character at `c`, where `left` bytes are left; 0 if it is not UTF-8.
static size_t utf8_length(const unsigned char *c, size_t left)
{
    if (c[0] == 0)
        return 0;
    if (c[0] < 0x80)
        return 1;
    const size_t length = c[0] >= 0xC2 && c[0] < 0xE0 ? 2 :
                          c[0] >= 0xE0 && c[0] < 0xF0 ? 3 :
                          c[0] >= 0xF0 && c[0] < 0xF5 ? 4 :
                                                        0;
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    const bool overlong = (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xF0 && c[1] < 0x90);
    const bool outside = (c[0] == 0xED && c[1] >= 0xA0) || (c[0] == 0xF4 && c[1] >= 0x90);
    return overlong || outside ? 0 : length;
}

bool cj__is_utf8(const char *bytes, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        step = utf8_length((const unsigned char *)bytes + i, length - i);
        if (step == 0)
            return false;
    }
    return true;
}

size_t cj__utf8_put(uint32_t c, char *to)
{
    if (c < 0x80) {
        *to = (char)c;
        return 1;
    }
    const size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; c >>= 6)
        to[i] = (char)(unsigned char)(0x80 | (c & 63));
    to[0] = (char)(unsigned char)((0xf00 >> length & 0xff) | c);
    return length;
}
