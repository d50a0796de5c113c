// Command lines by tables of options.
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void print_help(const command *self, const option *options, int option_count, FILE *stream)
{
    fprintf(stream, "usage: cajal %s [OPTION]...%s%s\n\n%s\n\n", self->name,
            *self->arguments ? " " : "", self->arguments, self->help);
    for (int i = 0; i < option_count; i++) {
        char left[48];
        snprintf(left, sizeof(left), "--%s %s", options[i].name,
                 options[i].value ? options[i].value : "");
        fprintf(stream, "  %-28s %s\n", left, options[i].help);
    }
    fprintf(stream, "  %-28s %s\n", "--help", "this text");
}

static int usage_error(const command *self, const char *format, const char *what)
{
    char text[1024];
    snprintf(text, sizeof text, format, what);
    fprintf(stderr, "cajal %s: ", self->name);
    print_text(text, stderr);
    fprintf(stderr, "; see `cajal %s --help`\n", self->name);
    return EXIT_USAGE;
}

static const option *find_option(const option *options, int count, const char *word, size_t length)
{
    for (int i = 0; i < count; i++) {
        if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0)
            return &options[i];
    }
    return NULL;
}

static bool set_value(const option *o, const char *value)
{
    char *end = NULL;
    errno = 0;
    if (o->kind == OPTION_TEXT) {
        *(const char **)o->target = value;
        return true;
    }
    if (o->kind == OPTION_INT)
        *(int64_t *)o->target = strtoll(value, &end, 10);
    else
        *(double *)o->target = strtod(value, &end);
    return end != value && *end == '\0' && errno == 0 &&
           (o->kind == OPTION_INT || isfinite(*(double *)o->target));
}

// One option; *used is how many words it took.
static int read_option(const command *self, const option *options, int option_count, int argc,
                       char **argv, int *used)
{
    const char *word = argv[0] + 2, *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const option *o = find_option(options, option_count, word, length);
    *used = 1;
    if (!o)
        return usage_error(self, "unknown option \"%s\"", argv[0]);
    if (o->kind == OPTION_FLAG) {
        *(bool *)o->target = true;
        return !equals ? EXIT_DONE : usage_error(self, "option --%s takes no value", o->name);
    }
    if (!equals && argc < 2)
        return usage_error(self, "option --%s needs a value", o->name);
    *used = equals ? 1 : 2;
    if (!set_value(o, equals ? equals + 1 : argv[1]))
        return usage_error(self, "option --%s needs a number", o->name);
    return EXIT_DONE;
}

int read_options(const command *self, const option *options, int option_count, int argc,
                 char **argv, int least, int most, const char **words)
{
    int count = 0;
    bool only_words = false;
    for (int i = 1; i < argc;) {
        if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(self, options, option_count, stdout);
            return -1;
        }
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            i++;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            int used = 0,
                done = read_option(self, options, option_count, argc - i, argv + i, &used);
            if (done != EXIT_DONE)
                return done;
            i += used;
        } else if (count == most) {
            return usage_error(self, "one word too many: \"%s\"", argv[i]);
        } else {
            words[count++] = argv[i++];
        }
    }
    return count >= least ? EXIT_DONE : usage_error(self, "it needs %s", self->arguments);
}
