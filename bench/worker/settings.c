#include "settings.h"

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
    return text != NULL ? strtoll(text, NULL, 10) : otherwise;
}
