// The program: a table of commands, each a function over options that it declares as data. Exit
// codes: 0 done, 1 the work failed (the sentence is on standard error), 2 the command line was
// wrong.
#ifndef CLI_H
#define CLI_H

#include <cajal.h>
#include <jansson.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_INT, OPTION_REAL } option_kind;

// One option of a command: "--name VALUE", "--name=VALUE", or "--name" for a flag. Texts point into
// argv.
typedef struct option {
    const char *name;  // without dashes
    const char *value; // what stands for the value in the help; NULL for a flag
    const char *help;
    option_kind kind;
    void *target; // bool *, const char **, int64_t *, double *
} option;

typedef struct command {
    const char *name, *arguments, *help;
    int (*run)(int argc, char **argv); // argv[0] is the command's name
} command;

extern const command commands[]; // ended by a name of NULL

// Reads options and collects what is left: at most `most` words, at least `least`. Returns
// EXIT_DONE to go on, otherwise the exit code to end with (-1 after --help was printed: end with
// 0).
int read_options(const command *self, const option *options, int option_count, int argc,
                 char **argv, int least, int most, const char **words);
const command *find_command(const char *name);
// The exit code of a status, after its sentence; a failure without a sentence of the library's was
// told where it was.
int finish(cj_status status);
void print_usage(FILE *stream);
void print_help(const command *self, const option *options, int option_count, FILE *stream);

int run_train(int argc, char **argv);
int run_evaluate(int argc, char **argv);
int run_predict(int argc, char **argv);
int run_summary(int argc, char **argv);
int run_bench(int argc, char **argv);
int run_explain(int argc, char **argv);
int run_knn(int argc, char **argv);
int run_datasets(int argc, char **argv);
int run_completion(int argc, char **argv);

// models.c: the tutorial's networks by name, for images of height x width x channels bytes and
// `classes` classes. A name with a dot or slash is a JSON file. NULL with a sentence, told or in
// cj_error().
cj_model *make_model(const char *name, cj_dataset *data);
void print_models(FILE *stream);

// report.c: what a run leaves behind.
cj_status write_curve(const cj_history *history, const char *path); // SVG
cj_status write_mistakes(const cj_tensor *images, const uint8_t *labels,
                         const cj_tensor *probabilities,
                         const char *path); // PNG
void print_confusion(const int64_t *counts, int classes, FILE *stream);
cj_status write_confusion(const int64_t *counts, int classes, const char *path); // CSV
// Counts[label * classes + predicted] over a data set; the probabilities are released by the
// caller.
cj_status count_confusion(cj_model *model, cj_dataset *data, int64_t **counts, int *classes,
                          cj_tensor **probabilities);

// One image file as the model's first input wants it: (1, height, width, channels), uint8.
cj_status read_model_image(const cj_model *model, const char *path, cj_tensor **image);
// A tensor converted to the model's input type: bytes become floats as they are if the model takes
// floats.
cj_status fit_input(const cj_model *model, cj_tensor *given, cj_tensor **fitted);

#endif
