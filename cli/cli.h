// The program: a table of commands, each a function over options that it declares as data. Exit
// codes: 0 done, 1 the work failed (the sentence is on standard error), 2 the command line was wrong,
// 130 interrupted.
#ifndef CLI_H
#define CLI_H

#include <cajal.h>
#include <jansson.h>
#include <math.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

typedef enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_TEXTS,
    OPTION_INT,
    OPTION_REAL
} option_kind;

// The values of an option that may be given several times.
typedef struct text_list {
    const char *items[16];
    int count;
} text_list;

// One option of a command: "--name VALUE", "--name=VALUE", or "--name" for a flag. Texts point into
// argv. A number outside its range is refused with a sentence.
typedef struct option {
    const char *name;  // without dashes
    const char *value; // what stands for the value in the help; NULL for a flag
    const char *help;
    option_kind kind;
    union {
        bool *flag;
        const char **text;
        text_list *list;
        int64_t *whole;
        double *real;
    };
    double min, max; // of a number; a max of INFINITY is no limit
    bool below_max;  // max itself is out of range
} option;

// Rows of a table of options. None for numbers goes without a range.
#define FLAG_OPTION(name_, target, help_)                                 \
    {                                                                     \
        .name = name_, .help = help_, .kind = OPTION_FLAG, .flag = target \
    }
#define TEXT_OPTION(name_, value_, target, help_)                                          \
    {                                                                                      \
        .name = name_, .value = value_, .help = help_, .kind = OPTION_TEXT, .text = target \
    }
#define TEXTS_OPTION(name_, value_, target, help_)                                          \
    {                                                                                       \
        .name = name_, .value = value_, .help = help_, .kind = OPTION_TEXTS, .list = target \
    }
#define INT_OPTION(name_, value_, target, min_, max_, help_)                                \
    {                                                                                       \
        .name = name_, .value = value_, .help = help_, .kind = OPTION_INT, .whole = target, \
        .min = min_, .max = max_                                                            \
    }
#define REAL_OPTION(name_, value_, target, min_, max_, help_)                               \
    {                                                                                       \
        .name = name_, .value = value_, .help = help_, .kind = OPTION_REAL, .real = target, \
        .min = min_, .max = max_                                                            \
    }
// A share of a whole: from 0 to below 1.
#define SHARE_OPTION(name_, value_, target, help_)                                          \
    {                                                                                       \
        .name = name_, .value = value_, .help = help_, .kind = OPTION_REAL, .real = target, \
        .max = 1, .below_max = true                                                         \
    }

// What several commands have in common.
#define BATCH_SIZE_MAX 1048576
#define THREADS_OPTION(target) \
    INT_OPTION("threads", "N", target, 0, 256, "threads to use; 0 for all (0)")
#define DATA_OPTION(target)                                                                       \
    TEXT_OPTION("data", "NAME", target,                                                           \
                "mnist, fashion-mnist, cifar10, digits, folder:PATH (of images), text:FILE (of "  \
                "lines \"LABEL TAB TEXT\", or a folder of them), csv:FILE:TARGET, "               \
                "npy:X.npy,y.npy (or an .npz), wav:FOLDER, series:FILE.csv:COLUMN, or auto (the " \
                "first that is found; the default)")

// The same where a model file may say what it was trained on.
#define MODEL_DATA_OPTION(target)                                                                  \
    TEXT_OPTION("data", "NAME", target,                                                            \
                "mnist, fashion-mnist, cifar10, digits, folder:PATH (of images), text:FILE (of "   \
                "lines \"LABEL TAB TEXT\", or a folder of them), csv:FILE:TARGET, "                \
                "npy:X.npy,y.npy (or an .npz), wav:FOLDER, series:FILE.csv:COLUMN, or auto (what " \
                "the model was trained on; the default)")

typedef struct command {
    const char *name, *arguments, *help;
    int (*run)(int argc, char **argv); // argv[0] is the command's name
} command;

extern const command commands[]; // ended by a name of NULL
extern const int command_count;

// Reads options and collects the other words: from min_words to max_words of them. Returns
// EXIT_DONE to go on, otherwise the exit code to end with (-1 after --help was printed: end with
// 0).
int read_options(const command *self, const option *options, int option_count, int argc,
                 char **argv, int min_words, int max_words, const char **words);
const command *find_command(const char *name);
void print_usage(FILE *stream);
void print_help(const command *self, const option *options, int option_count, FILE *stream);

// nearest.c
// The name that a mistyped word probably means, NULL if none is near. `names` are the first members
// of `count` structs, `stride` bytes apart.
const char *nearest_name(const char *word, const void *names, size_t stride, int count);

int run_train(int argc, char **argv);
int run_evaluate(int argc, char **argv);
int run_predict(int argc, char **argv);
int run_summary(int argc, char **argv);
int run_plot(int argc, char **argv);
int run_bench(int argc, char **argv);
int run_explain(int argc, char **argv);
int run_knn(int argc, char **argv);
int run_cross_validate(int argc, char **argv);
int run_datasets(int argc, char **argv);
int run_completion(int argc, char **argv);

// models.c: the tutorial's networks and the library's architectures by name, for the inputs and
// classes of a data set, or their own without one; with `numbers` for targets that are no classes.
// "auto" is a sensible model for the data, and a name with a dot or slash a JSON file. NULL with a
// sentence in cj_error().
cj_model *make_model(const char *name, cj_dataset *data, bool numbers);
// The same where bytes are to be standardised by cj_normalization(), which is adapted later, rather than
// scaled to 0..1.
cj_model *make_normalized_model(const char *name, cj_dataset *data, bool numbers);
// The names that it takes, from index 0; NULL past the last.
const char *model_name(int index);
// The batch size that a model is fixed to, else the one given.
int64_t batch_of(const cj_model *model, int64_t otherwise);

// places.c: files and folders to be written, checked before work begins.
// Makes a folder and those above it. CJ_IO with a sentence.
cj_status make_folder(const char *path);
// Makes the folder of a file and sees that the file can be written; leaves what is there as it is.
cj_status check_output(const char *path);

// folder.c: folders of images as data, "folder:PATH".
enum { PICTURE_SIDE = 64 };
// What is wanted of a user's own data, and what was found in it.
typedef struct own_data {
    int64_t side;                  // of images, where no model says it: side x side,
    bool grey;                     // grey or in colours
    cj_load_picture_args pictures; // the rest of how images are read
    bool stream;                   // images for training are decoded when they are needed
    int64_t window;                // steps of a series that a sample has; 0 for 24
    bool tokens;    // the data is one text, whose next byte is predicted (language.h)
    json_t *schema; // found: the columns of a table (table.h), to be released; else NULL
} own_data;
#define OWN_DATA_DEFAULTS .side = PICTURE_SIDE, .pictures = {CJ_LOAD_PICTURE_DEFAULTS}
bool is_folder_data(const char *name);
// The images of a folder that has train/ and test/ (or validation/), or four fifths and one fifth of
// it, as the model's input wants them or, without one, as `own` says. What cannot be
// read is told and left out.
cj_status load_folder_data(const char *name, const cj_model *model, const own_data *own,
                           cj_dataset **train, cj_dataset **test);
// pictures.c: a model file remembers by which rules the images of its folder were read, in the notes
// "pictures/image_size" (height and width), "pictures/interpolation" and "pictures/aspect_ratio" (crop or
// pad).
cj_status note_pictures(cj_model *model, const own_data *own);
// The rules of a model that was trained on a folder of images; false for any other. Words in *rules belong
// to the model.
bool noted_pictures(const cj_model *model, cj_load_picture_args *rules);
// Calls `take` with each image file of a folder and of those below it, in the order of their names, until it
// does not return CJ_OK. CJ_NOT_FOUND if there is none, CJ_IO, CJ_OUT_OF_MEMORY.
cj_status each_picture(const char *folder, cj_status (*take)(void *context, const char *path),
                       void *context);
bool is_folder(const char *path);

// Remembers the names of the classes in the model.
cj_status note_classes(cj_model *model, const cj_dataset *data);

// data.c
// A data set by name, or the user's own: a folder, a table, lines of text. *name "auto" becomes what the
// model was trained on, if there is a model and it knows, else what is found: mnist, fashion-mnist,
// digits. A missing one is CJ_NOT_FOUND with what to do.
cj_status load_data(const char **name, const cj_model *model, own_data *own, cj_dataset **train,
                    cj_dataset **test);
// Keeps the first `limit` samples; 0 keeps all.
cj_status limit_samples(cj_dataset **data, int64_t limit);

// parts.c: the parts that a data set comes in, as one data set whose folds they are: five parts of the
// training samples, for CIFAR-10 its batches, and the test set as the last. Both are released by the
// caller.
cj_status join_parts(const cj_dataset *train, const cj_dataset *test, cj_dataset **all,
                     cj_folds **folds);

// text.c: lines "LABEL TAB TEXT" as data, "text:FILE".
bool is_text_data(const char *name);
// Four fifths of the lines, and one fifth.
cj_status load_text_data(const char *name, cj_dataset **train, cj_dataset **test);
// Whether the model's first input is texts.
bool takes_texts(cj_model *model);
// Gives layers without a vocabulary that of an input, if that is texts.
cj_status learn_words(cj_model *model, const cj_tensor *input);
// The lines of a file, or of standard input ("-"), as texts (n, 1).
cj_status read_texts(const char *path, cj_tensor **lines);

// package.c
// Installs a Debian package by apt-get, as root or through sudo; says what it runs. CJ_NOT_FOUND or
// CJ_IO with what to do by hand.
cj_status install_package(const char *package);

// datasets.c: a model file remembers the data set, and the names of its classes one a line, in the
// notes "data" and "classes".
cj_status note_data(cj_model *model, const char *name, const cj_dataset *data);
// The name of a class of a data set, its number where classes have no names.
void name_of_class(const char *name, const cj_dataset *data, int64_t label, char *text,
                   size_t size);
// The data set that the model was trained on; NULL if it does not say, or names none that is known.
const char *noted_data(const cj_model *model);

// interrupt.c: Ctrl-C. A callback that, once the program is interrupted, saves the model as `path`
// (unless that is NULL) after the running step and ends cj_fit() with CJ_CANCELLED.
cj_callback *interruptible(const char *path);
bool was_interrupted(void);

// curve.c, confusion.c, mistakes.c: what a run leaves behind.
cj_status write_curve(const cj_history *history, const char *path); // SVG
cj_status write_log_curve(const char *log, FILE *file);             // of a CSV with a row an epoch
cj_status write_mistakes(const cj_tensor *images, const cj_tensor *labels,
                         const cj_tensor *probabilities,
                         const char *path); // PNG
// The greatest of a row of probabilities.
int64_t best_of(const cj_tensor *probabilities, int64_t row, int64_t classes);
void print_confusion(const int64_t *counts, int classes, FILE *stream);
cj_status write_confusion(const int64_t *counts, int classes, const char *path); // CSV
cj_status draw_confusion(const int64_t *counts, int classes, const char *path);  // SVG
// Counts[label * classes + predicted] over a data set; the probabilities are released by the
// caller.
cj_status count_confusion(cj_model *model, cj_dataset *data, int64_t **counts, int *classes,
                          cj_tensor **probabilities);

// output.c: what is printed.
// The exit code of a status, after "cajal: " and its sentence on standard error.
int finish(cj_status status);
// Flushes standard output at the end of main(). A failure, such as a full disk, is told, and turns
// EXIT_DONE into EXIT_FAILED.
int close_output(int code);
// Text that may come from a file: control characters and what is not UTF-8 are printed as \xNN.
void print_text(const char *text, FILE *stream);
// The same as JSON, and a number that may be NaN or infinite: those become "nan", "inf", "-inf".
json_t *text_json(const char *text);
json_t *number_json(double value);
// The columns of standard output's terminal, 80 if it is none.
int output_columns(void);
// The width of a summary: that of the terminal within what a table can use.
int64_t summary_width(void);
// A JSON value and a line end on standard output.
void print_json_value(const json_t *value);

// inputs.c
// Whether a name has that ending, in capitals or not.
bool ends_with(const char *text, const char *end);
// Whether it is that of a CSV file, plain or packed, or standard input ("-").
bool is_csv(const char *name);
// Whether a name is that of a model file, not of a known network.
bool is_model_file(const char *name);
// One image file as the model's first input wants it: (1, height, width, channels), uint8. With
// `invert` light and dark change places; without it a light border of a grey image is remarked on.
cj_status read_model_image(const cj_model *model, const char *path, bool invert, cj_tensor **image);
// A tensor converted to the model's input type: bytes become floats as they are if the model takes
// floats.
cj_status fit_input(const cj_model *model, cj_tensor *given, cj_tensor **fitted);
// Rows of numbers from CSV, "-" for standard input: rows of samples; or, for sequences (time, features) of
// any length, the steps of one.
cj_status read_rows(const cj_model *model, const char *path, cj_tensor **input);

// A file as the inputs of a model, by what the model takes and how the file's name ends: samples as many as
// there are. Places that are not used become NULL.
cj_status read_model_inputs(cj_model *model, const char *path, bool invert, cj_tensor *inputs[2]);

// rows.c
// A table by its file's name, or from standard input ("-"). Statuses of cj_load_csv().
cj_status load_rows(const char *path, const cj_load_csv_args *args, cj_table **table);
// The same as numbers (rows, width); what is none is refused by its row.
cj_status load_row_tensor(const char *path, int64_t width, cj_tensor **rows);

// spikes.c: what neurons do.
// What cajal plot is asked for: spikes on an input, or firing rates over currents; else neither.
typedef struct spike_plot {
    const char *input; // a file; NULL for none
    const char *layer; // of neurons; NULL for all
    bool invert;
    int64_t rows;
    const char *curve; // the layer whose rates are plotted; NULL for none
    int64_t neuron;
    double from, to; // currents
} spike_plot;
bool plots_spikes(const spike_plot *p);
cj_status write_spike_plot(cj_model *model, const spike_plot *p, FILE *file);
// How much the neurons of a model fire on data, and which operations that saves.
cj_status print_activity(cj_model *model, const cj_dataset *data);
// Whether a model answers by a sequence (steps, classes), as neurons do.
bool gives_steps(const cj_model *model);
// Brings scores (samples, steps, classes) down to their sums over the steps.
cj_status sum_steps(cj_tensor **scores);
// Whether a model takes sequences (steps, height, width, 2) of events, and a file of them as one.
bool takes_events(const cj_model *model);
cj_status read_events(const cj_model *model, const char *path, cj_tensor **input);

#endif
