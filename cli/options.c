// Command lines by tables of options.
#include "cli.h"

#include <errno.h>
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

// Begins a sentence about the command line on standard error, and the next function ends it.
static void begin_error(const command *self, const char *format, const char *what)
{
    char text[1024];
    snprintf(text, sizeof text, format, what);
    fprintf(stderr, "cajal %s: ", self->name);
    print_text(text, stderr);
}

static int end_error(const command *self)
{
    fprintf(stderr, "; see `cajal %s --help`\n", self->name);
    return EXIT_USAGE;
}

static int usage_error(const command *self, const char *format, const char *what)
{
    begin_error(self, format, what);
    return end_error(self);
}

static const option *find_option(const option *options, int count, const char *word, size_t length)
{
    for (int i = 0; i < count; i++) {
        if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0)
            return &options[i];
    }
    return NULL;
}

static int unknown_option(const command *self, const option *options, int count, const char *word)
{
    enum { MOST_OPTIONS = 64 };
    const char *names[MOST_OPTIONS] = {"help"};
    char name[64];
    int known = 1;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    for (int i = 0; i < count && known < MOST_OPTIONS; i++)
        names[known++] = options[i].name;
    const char *nearest = nearest_name(name, names, sizeof *names, known);
    begin_error(self, "unknown option \"%s\"", word);
    if (nearest)
        fprintf(stderr, " (did you mean \"--%s\"?)", nearest);
    return end_error(self);
}

// Whether `text` is a number of the option's range; stores it.
static bool read_number(const option *o, const char *text)
{
    char *end = NULL;
    double number;
    errno = 0;
    if (o->kind == OPTION_INT) {
        const long long whole = strtoll(text, &end, 10);
        *o->whole = whole;
        number = (double)whole;
    } else {
        number = strtod(text, &end);
        *o->real = number;
    }
    return end != text && *end == '\0' && errno == 0 && isfinite(number) && number >= o->min &&
           (o->below_max ? number < o->max : number <= o->max);
}

// "--limit needs a whole number, 1 or more, not "-5""
static int number_error(const command *self, const option *o, const char *text)
{
    begin_error(self, "--%s needs ", o->name);
    fputs(o->kind == OPTION_INT ? "a whole number" : "a number", stderr);
    if (isinf(o->max))
        fprintf(stderr, ", %.0f or more", o->min);
    else
        fprintf(stderr, " from %.0f to %s%.0f", o->min, o->below_max ? "below " : "", o->max);
    fputs(", not \"", stderr);
    print_text(text, stderr);
    fputc('"', stderr);
    return end_error(self);
}

enum { MOST_TEXTS = sizeof((text_list *)0)->items / sizeof(char *) };

// One option; *used is how many words it took.
static int read_option(const command *self, const option *options, int option_count, int argc,
                       char **argv, int *used)
{
    const char *word = argv[0] + 2, *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const option *o = find_option(options, option_count, word, length);
    *used = 1;
    if (!o)
        return unknown_option(self, options, option_count, argv[0]);
    if (o->kind == OPTION_FLAG) {
        *o->flag = true;
        return !equals ? EXIT_DONE : usage_error(self, "option --%s takes no value", o->name);
    }
    if (!equals && argc < 2)
        return usage_error(self, "option --%s needs a value", o->name);
    *used = equals ? 1 : 2;
    const char *value = equals ? equals + 1 : argv[1];
    if (o->kind == OPTION_TEXTS && o->list->count == MOST_TEXTS)
        return usage_error(self, "option --%s is given too often", o->name);
    if (o->kind == OPTION_TEXTS)
        o->list->items[o->list->count++] = value;
    else if (o->kind == OPTION_TEXT)
        *o->text = value;
    else if (!read_number(o, value))
        return number_error(self, o, value);
    return EXIT_DONE;
}

int read_options(const command *self, const option *options, int option_count, int argc,
                 char **argv, int min_words, int max_words, const char **words)
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
        } else if (count == max_words) {
            return usage_error(self, "one word too many: \"%s\"", argv[i]);
        } else {
            words[count++] = argv[i++];
        }
    }
    return count >= min_words ? EXIT_DONE : usage_error(self, "it needs %s", self->arguments);
}
