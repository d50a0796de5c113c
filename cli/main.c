// cajal: train, look at and use networks from the shell.
#include "cli.h"

#include <stdio.h>
#include <string.h>

const command commands[] = {
    {"train", "[MODEL]",
     "train a model that fits the data (auto, the default), mnist-cnn, resnet20, ..., or a JSON "
     "architecture",
     run_train},
    {"evaluate", "FILE", "loss, accuracy and confusion matrix of a trained model", run_evaluate},
    {"predict", "FILE [INPUT...]",
     "what a model answers to images or rows of numbers, or writes on", run_predict},
    {"summary", "MODEL", "the layers of a model", run_summary},
    {"plot", "MODEL|LOG.csv FILE.svg",
     "draw the graph of a model, what its neurons do, or the curve of a run from its log",
     run_plot},
    {"bench", "MODEL", "how long a step of a model takes on this machine", run_bench},
    {"explain", "FILE INPUT", "how a model computes, number by number", run_explain},
    {"knn", "", "k-nearest neighbours on a data set, and cross-validation over k", run_knn},
    {"cross-validate", "[MODEL]",
     "train a new model on all parts of the data but one, test it on that, and each part in turn",
     run_cross_validate},
    {"datasets", "list | info NAME | fetch NAME | show NAME [FILE.png]",
     "the data sets at hand, and a look at any data", run_datasets},
    {"completion", "SHELL", "completion for bash (the default), zsh or fish", run_completion},
    {NULL, NULL, NULL, NULL},
};
const int command_count = sizeof commands / sizeof *commands - 1;

const command *find_command(const char *name)
{
    for (const command *c = commands; c->name; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

void print_usage(FILE *stream)
{
    fprintf(stream, "usage: cajal COMMAND [OPTION]... [ARGUMENT]...\n\n");
    for (const command *c = commands; c->name; c++)
        fprintf(stream, "  %-15s %s\n", c->name, c->help);
    fprintf(
        stream,
        "\n`cajal COMMAND --help` tells more; `cajal --version` the version.\n"
        "Exit code: 0 done, 1 the work failed, 2 the command line was wrong, 130 interrupted.\n");
}

// Warnings of the library go where errors go.
static void warn(const char *sentence, void *context)
{
    (void)context;
    fflush(stdout);
    fputs("cajal: warning: ", stderr);
    print_text(sentence, stderr);
    fputc('\n', stderr);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("cajal %s (%s)\n", cj_version(), cj_isa());
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    const command *chosen = find_command(argv[1]);
    if (!chosen) {
        fputs("cajal: unknown command \"", stderr);
        print_text(argv[1], stderr);
        const char *nearest = nearest_name(argv[1], commands, sizeof *commands, command_count);
        if (nearest) {
            fprintf(stderr, "\": did you mean \"%s\"? See `cajal --help`\n", nearest);
        } else {
            fputs("\"\n\n", stderr);
            print_usage(stderr);
        }
        return EXIT_USAGE;
    }
    return chosen->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    cj_set_warning_handler(warn, NULL);
    return close_output(run(argc, argv));
}
