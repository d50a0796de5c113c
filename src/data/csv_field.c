// What a field of a CSV file means: a number, or nothing.
#include "base/text.h"
#include "data/csv.h"

#include <math.h>
#include <string.h>

// Those of pandas, and the question mark of the UCI repository's tables.
static const char *const missing[] = {
    "?",    "NA",   "N/A",  "n/a",  "#N/A",     "#NA", "<NA>",   "NaN",     "nan",      "-NaN",
    "-nan", "NULL", "null", "None", "#N/A N/A", "NAN", "1.#IND", "-1.#IND", "-1.#QNAN", "1.#QNAN"};

bool cj__csv_missing(const cj__csv_field *field)
{
    if (field->length == 0)
        return true;
    const char c = field->text[0];
    if ((c >= '0' && c <= '9' && c != '1') || field->length > 8)
        return false;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strcmp(field->text, missing[i]) == 0)
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Clinger 1990, "How to Read Floating Point Numbers Accurately": with up to 15 digits and a power of
// ten up to 22 both are exact, and one operation rounds to the nearest.
bool cj__csv_number(const cj__csv_field *field, double *number)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = field->text, *end = at + field->length;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    const char *begin = at;
    const bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    uint64_t digits = 0;
    int count = 0, exponent = 0;
    const char *first = at;
    for (; at < end && is_digit(*at); at++, count += digits > 0)
        digits = count < 18 ? 10 * digits + (uint64_t)(*at - '0') : digits;
    bool any = at > first;
    if (at < end && *at == '.') {
        const char *point = ++at;
        for (; at < end && is_digit(*at); at++, exponent--, count += digits > 0)
            digits = count < 18 ? 10 * digits + (uint64_t)(*at - '0') : digits;
        any |= at > point;
    }
    if (any && at == end && count <= 15 && exponent >= -22) {
        const double value = (double)digits / powers[-exponent];
        *number = negative ? -value : value;
        return true;
    }
    // rarer forms: many digits, an exponent, infinity
    char text[128];
    const size_t length = (size_t)(end - begin);
    if (length == 0 || length >= sizeof text || memchr(begin, 'x', length) ||
        memchr(begin, 'X', length))
        return false;
    memcpy(text, begin, length);
    text[length] = '\0';
    return cj__number_parse(text, number);
}

bool cj__csv_number_with(const cj__csv_field *field, char decimal, double *number)
{
    char text[128];
    const char *comma;
    if (decimal == '.')
        return cj__csv_number(field, number);
    if (field->length >= sizeof text || memchr(field->text, '.', field->length))
        return false;
    memcpy(text, field->text, field->length + 1);
    if ((comma = memchr(text, decimal, field->length)))
        text[comma - text] = '.';
    return cj__csv_number(&(cj__csv_field){.text = text, .length = field->length}, number);
}
