#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *setting_text(const settings *s, const char *key, const char *otherwise)
{
    const size_t length = strlen(key);
    for (int i = 0; i < s->count; i++) {
        if (strncmp(s->words[i], key, length) == 0 && s->words[i][length] == '=')
            return s->words[i] + length + 1;
    }
    return otherwise;
}

int64_t setting(const settings *s, const char *key, int64_t otherwise)
{
    const char *text = setting_text(s, key, NULL);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file) && strncmp(line, "VmHWM:", 6) != 0)
        continue;
    if (file && !feof(file))
        kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
