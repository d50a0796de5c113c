// Numbers as text, with a point whatever the locale is. strtod and printf follow the locale of the
// program, which the library must not change, since it belongs to all threads. So the text is
// converted instead.
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The decimal point of this locale: the text between the digits of "0.5".
static size_t decimal_point(char point[16])
{
    char probe[16];
    snprintf(probe, sizeof probe, "%.1f", 0.5);
    const size_t length = strlen(probe) - 2;
    memcpy(point, probe + 1, length);
    point[length] = '\0';
    return length;
}

bool cj__number_parse(const char *text, double *number)
{
    char local[128], point[16];
    const size_t point_length = decimal_point(point);
    size_t used = 0;
    for (; *text; text++) {
        if (used + point_length + 1 >= sizeof local || *text == ',')
            return false;
        if (*text == '.') {
            memcpy(local + used, point, point_length);
            used += point_length;
        } else {
            local[used++] = *text;
        }
    }
    local[used] = '\0';
    char *end;
    *number = strtod(local, &end);
    if (end == local || isnan(*number))
        return false;
    while (isspace((unsigned char)*end))
        end++;
    return *end == '\0';
}

// Replaces the decimal point of the locale by a point.
static void point_to_dot(char *text)
{
    char point[16];
    const size_t length = decimal_point(point);
    char *found = strstr(text, point);
    if (found) {
        memmove(found + 1, found + length, strlen(found + length) + 1);
        *found = '.';
    }
}

const char *cj__number_fixed(double number, int decimals, char *text, size_t size)
{
    snprintf(text, size, "%.*f", decimals, number);
    point_to_dot(text);
    return text;
}

const char *cj__number_scientific(double number, int decimals, char *text, size_t size)
{
    snprintf(text, size, "%.*e", decimals, number);
    point_to_dot(text);
    return text;
}

const char *cj__number_text(double number, char text[CJ__NUMBER_TEXT])
{
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, CJ__NUMBER_TEXT, "%.*g", precision, number);
        if (isnan(number) || strtod(text, NULL) == number)
            break;
    }
    point_to_dot(text);
    return text;
}
