/**
 * @file train.h
 * Training: compile, fit, evaluate, predict, and callbacks.
 *
 * A training step is one cj_function: forward, losses, gradients, optimizer, metrics. cj_compile()
 * fixes what it computes; cj_fit() feeds it. Names of losses and metrics are Keras's, those of
 * functions, classes and aliases alike ("mean_squared_error", "MeanSquaredError", "mse"); options go
 * in the spec, as in "sparse_categorical_crossentropy(from_logits=true, ignore_class=-1)". Each loss
 * takes reduction="sum_over_batch_size" (the default, also called "mean"), "sum" or
 * "mean_with_sample_weight"; "none" is refused with CJ_UNSUPPORTED.
 *
 * Constructors of callbacks return a floating object, which cj_fit() takes
 * over, or NULL with CJ_INVALID_ARGUMENT (a setting missing or out of range, an unknown name)
 * or CJ_OUT_OF_MEMORY. Several threads may predict with one model, and evaluate or train different
 * models; a model that is being trained or compiled is used by one thread alone.
 */
#ifndef CAJAL_TRAIN_H
#define CAJAL_TRAIN_H

#include <cajal/data.h>
#include <cajal/model.h>
#include <cajal/optimizers.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Metrics of one output, an entry of cj_compile_args.output_metrics. Its size is fixed for ever.
 */
typedef struct cj_output_metrics {
    const char *metrics[CJ_IN_BRACES]; ///< specs, up to the first NULL
    const char *const *metrics_list;   ///< or any number of them
    int metrics_count;                 ///< length of metrics_list
    uint64_t reserved[4];              ///< zero
} cj_output_metrics;

/**
 * What cj_compile() is told of one output, an entry of cj_compile_args.outputs; made by CJ_OUTPUT().
 * Lists: see CJ_IN_BRACES. Its size is fixed for ever.
 */
typedef struct cj_output_settings {
    const char *name;   ///< required: that of the layer that makes the output
    const char *loss;   ///< spec; default NULL: `loss` of the compile, or no loss
    double loss_weight; ///< its share in the sum of all losses; default 1
    /** specs, up to the first NULL; default: `metrics` of the compile */
    const char *metrics[CJ_IN_BRACES];
    const char *const *metrics_list; ///< or any number of them
    int metrics_count;               ///< length of metrics_list
    /** specs that see sample and class weights; default: `weighted_metrics` of the compile */
    const char *weighted_metrics[CJ_IN_BRACES];
    const char *const *weighted_metrics_list; ///< or any number of them
    int weighted_metrics_count;               ///< length of weighted_metrics_list
    uint64_t reserved[4];                     ///< zero
} cj_output_settings;
/** `CJ_OUTPUT("left", .loss = "mse", .loss_weight = 0.5, .metrics = {"mae"})`: the name first. */
#define CJ_OUTPUT(...)                        \
    {                                         \
        .loss_weight = 1, .name = __VA_ARGS__ \
    }
/**
 * Outputs by name, as Keras's dictionaries:
 * `cj_compile(model, CJ_OUTPUTS(CJ_OUTPUT("left", .loss = "mse"), CJ_OUTPUT("right", .loss = "mae")))`.
 */
#define CJ_OUTPUTS(...)                                   \
    .outputs = (const cj_output_settings[]){__VA_ARGS__}, \
    .outputs_count =                                      \
        (int)(sizeof((const cj_output_settings[]){__VA_ARGS__}) / sizeof(cj_output_settings))

/** The arguments of cj_compile(). Lists: see CJ_IN_BRACES. Strings are copied. */
typedef struct cj_compile_args {
    size_t size;             ///< bytes of the struct
    int _;                   ///< what follows may be given by position
    cj_optimizer *optimizer; ///< default &cj_default_optimizer: cj_rmsprop(); NULL is refused
    /** spec for every output; required for training unless `losses` is given */
    const char *loss;
    const char *losses[CJ_IN_BRACES]; ///< one spec an output, instead of `loss`
    const char *const *losses_list;   ///< or any number of them
    int losses_count;                 ///< length of losses_list
    /** default: 1 each; if given, an entry for each output: one that is left out is 0 */
    double loss_weights[CJ_IN_BRACES];
    const double *loss_weights_list;   ///< or any number of them
    int loss_weights_count;            ///< length of loss_weights_list
    const char *metrics[CJ_IN_BRACES]; ///< specs, for every output
    const char *const *metrics_list;   ///< or any number of them
    int metrics_count;                 ///< length of metrics_list
    /** metrics for each output instead of `metrics`: output_metrics_count entries; default NULL */
    const cj_output_metrics *output_metrics;
    int output_metrics_count; ///< length of output_metrics: the number of outputs
    /** specs of metrics that see sample and class weights */
    const char *weighted_metrics[CJ_IN_BRACES];
    const char *const *weighted_metrics_list; ///< or any number of them
    int weighted_metrics_count;               ///< length of weighted_metrics_list
    /** threads; default &cj_default_pool: a pool of the default size; NULL is refused */
    cj_pool *pool;
    /**
     * mixture of each training batch, "mix_up(alpha=0.2)" or "cut_mix(factor=1)", with the settings
     * of cj_mix_up_args and cj_cut_mix_args; default NULL: none. Images and targets are mixed with
     * the same numbers before the model sees them: Keras's `data.map(MixUp())`. The model has one
     * input, images, and one output. Class numbers become vectors of classes, in validation and
     * evaluation too, so that the loss is "categorical_crossentropy", not the sparse one. The
     * setting is saved with the model's file.
     */
    const char *mix;
    /**
     * outputs by name, CJ_OUTPUTS(), instead of losses, loss_weights and output_metrics by order; those
     * that are left out take `loss`, `metrics` and `weighted_metrics`. Default NULL: none
     */
    const cj_output_settings *outputs;
    int outputs_count; ///< length of outputs
    /** weighted metrics for each output instead of `weighted_metrics`; default NULL */
    const cj_output_metrics *output_weighted_metrics;
    int output_weighted_metrics_count; ///< its length: the number of outputs
} cj_compile_args;
/** The defaults of cj_compile_args. */
#define CJ_COMPILE_DEFAULTS                                                                     \
    .size = sizeof(cj_compile_args), .optimizer = &cj_default_optimizer, .loss_weights = {NAN}, \
    .pool = &cj_default_pool
/** Sets `args` to CJ_COMPILE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_compile_defaults(cj_compile_args *args);
/**
 * Fixes loss, optimizer and metrics. The optimizer's state starts anew. May be called again. One of
 * CJ_OK, CJ_INVALID_ARGUMENT (NULL, an unknown name, also of an output, more entries than outputs),
 * CJ_UNSUPPORTED, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_compile_with(cj_model *model, const cj_compile_args *args);
/** `cj_compile(model, .optimizer = cj_adam(), .loss = "mse", .metrics = {"mae"})`. */
#define cj_compile(...)                       \
    cj_compile_with(CJ__HEAD(__VA_ARGS__, ~), \
                    &(cj_compile_args){CJ_COMPILE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * The spec of the loss that output `output` was compiled with, such as "mean_squared_error"; NULL
 * if the model is NULL or not compiled, or the output has no loss. Valid until the next compile.
 */
CJ_API const char *cj_model_loss(const cj_model *model, int output);

/**
 * Where cj_fit() with `.resume` would go on: whether the model holds a run that is under way or
 * done (after cj_load() or cj_fit()). Gives the epoch to go on with, from 0, the samples of a batch
 * and of the data set, which the resumed run must have too. Each pointer may be NULL. False for
 * NULL.
 */
CJ_API bool cj_resume_point(const cj_model *model, int64_t *epoch, int64_t *batch_size,
                            int64_t *samples);

/** The learning rate of a compiled model's next step; NAN if it is not compiled. */
CJ_API double cj_learning_rate(const cj_model *model);
/**
 * Sets the learning rate of a compiled model from the next step on. One of CJ_OK,
 * CJ_INVALID_ARGUMENT (NULL; a rate that is negative or not finite; the optimizer has a schedule),
 * CJ_NOT_BUILT (not compiled).
 */
CJ_API cj_status cj_set_learning_rate(cj_model *model, double learning_rate);

/**
 * What happened in training: a table of a value for each epoch and name. Names are Keras's: "loss",
 * "left_loss" where several outputs have a loss, the metrics as they were written ("accuracy",
 * "left_mae" with several outputs; a name that is taken becomes "accuracy_1", or "weighted_accuracy"
 * for a weighted metric), "val_" of each after a validation, and "learning_rate" if a callback sets
 * it.
 */
typedef struct cj_history cj_history;
/** The number of epochs recorded. */
CJ_API int cj_history_epochs(const cj_history *history);
/** The number of names recorded. */
CJ_API int cj_history_names(const cj_history *history);
/** Name `index`; NULL if out of range. Valid as long as the history. */
CJ_API const char *cj_history_name(const cj_history *history, int index);
/** The value of `name` after `epoch` (from 0); NAN if there is none. */
CJ_API double cj_history_value(const cj_history *history, const char *name, int epoch);

/**
 * Writes the history as a CSV file: a row an epoch with its number from 0, "epoch" and then the names in
 * the order in which they were recorded; a value that an epoch does not have, or that is NaN, is empty. A file of that name
 * is replaced whole. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL), CJ_IO, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_history_save_csv(const cj_history *history, const char *path);

/** An object whose methods cj_fit() calls while it trains; see cj_callback_methods. */
typedef struct cj_callback cj_callback;

/**
 * What stands for "no callbacks given" in cj_fit_args. It is known by its address and of no other
 * use.
 */
CJ_API extern cj_callback cj_no_callback;

/**
 * What the methods of a callback are given: the values of this epoch so far, by name, and where
 * training is. Made by the library, which may append members.
 */
typedef struct cj_logs {
    int count;                ///< number of entries
    const char *const *names; ///< "loss", "accuracy", then "val_loss", ... at an epoch's end
    const double *values;     ///< one for each name
    int epoch;                ///< from 0
    int epochs;               ///< the epoch to reach
    int64_t batch;            ///< from 0, within the epoch
    int64_t batches;          ///< number of batches of the epoch
    int64_t samples;          ///< samples seen in this epoch so far
    bool stop;                ///< set by a callback: training ends after this batch (or epoch)
    double waited;            ///< seconds that the steps of this epoch have waited for their data
} cj_logs;

/**
 * The methods of a callback; any may be NULL. A failure status ends cj_fit() with it. Set `size` to
 * sizeof(cj_callback_methods): methods that a newer library has are then NULL.
 */
typedef struct cj_callback_methods {
    size_t size; ///< bytes of the struct
    /** class name, as in Keras */
    const char *name;
    /** before the first epoch */
    cj_status (*train_begin)(void *self, cj_model *model, cj_logs *logs);
    cj_status (*epoch_begin)(void *self, cj_model *model, cj_logs *logs); ///< before each epoch
    /** after each training step */
    cj_status (*batch_end)(void *self, cj_model *model, cj_logs *logs);
    cj_status (*epoch_end)(void *self, cj_model *model, cj_logs *logs); ///< after validation
    cj_status (*train_end)(void *self, cj_model *model, cj_logs *logs); ///< after the last epoch
    /**
     * numbers that a resumed run needs: writes up to `capacity` of them to `values` and returns how
     * many there are; asked with a capacity of 0 first
     */
    int (*state)(void *self, double *values, int capacity);
    /** gives the callback of a resumed run the numbers that state() wrote */
    void (*set_state)(void *self, const double *values, int count);
    /** when the callback is destroyed: frees `self` */
    void (*free)(void *self);
    /**
     * tensors that a resumed run needs: fills up to `capacity` and counts all; they stay the
     * callback's, and must not change afterwards
     */
    int (*tensors)(void *self, cj_tensor **tensors, int capacity);
    /** gives them back, after set_state; a callback retains those that it keeps */
    cj_status (*set_tensors)(void *self, cj_tensor *const *tensors, int count);
    /** before each training step; logs->batch is the step that begins */
    cj_status (*batch_begin)(void *self, cj_model *model, cj_logs *logs);
    /** whether it may change the learning rate: the end of an epoch then has "learning_rate" */
    bool sets_learning_rate;
} cj_callback_methods;
/**
 * A callback of the user's own. `methods` is copied; `self` is handed to each method and stays the
 * caller's, to be freed by the method `free` if there is one. NULL with CJ_INVALID_ARGUMENT or
 * CJ_OUT_OF_MEMORY; `free` is not called then.
 */
CJ_API cj_callback *cj_callback_new(const cj_callback_methods *methods, void *self);

/** ProgbarLogger: a bar that looks like Keras's on a terminal, a line an epoch elsewhere. */
CJ_API cj_callback *cj_progress_bar(FILE *stream);

/** CSVLogger. */
typedef struct cj_csv_logger_args {
    size_t size;           ///< bytes of the struct
    int _;                 ///< what follows may be given by position
    const char *filename;  ///< required
    const char *separator; ///< default ","
    bool append;           ///< default false; true: keep what the file has
} cj_csv_logger_args;
/** The defaults of cj_csv_logger_args. */
#define CJ_CSV_LOGGER_DEFAULTS .size = sizeof(cj_csv_logger_args), .separator = ","
/** Sets `args` to CJ_CSV_LOGGER_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_csv_logger_defaults(cj_csv_logger_args *args);
/**
 * Writes a row an epoch, with its number from 0. The columns are those of the first epoch in
 * alphabetical order and, if it had no validation, a column "val_" of each, as in Keras; or those of
 * the file that is appended to. NA stands for a value that an epoch lacks. A resumed run appends.
 */
CJ_API cj_callback *cj_csv_logger_new(const cj_csv_logger_args *args);
#define cj_csv_logger(...) \
    cj_csv_logger_new(&(cj_csv_logger_args){CJ_CSV_LOGGER_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ModelCheckpoint. */
typedef struct cj_model_checkpoint_args {
    size_t size;          ///< bytes of the struct
    int _;                ///< what follows may be given by position
    const char *filepath; ///< required; {epoch}, {epoch:02d} and {name:.4f} are replaced
    const char *monitor;  ///< default "val_loss"
    const char *mode;     ///< "auto" (default), "min" or "max"
    bool save_best_only;  ///< write only when the monitored value improved
    int64_t save_freq;    ///< number of batches between two saves; default 0: every epoch
    int verbose;          ///< default 0; 1: a line on standard output at each save
    /** with save_best_only: the value that the first save has to improve; default NAN: none */
    double initial_value_threshold;
    /** default false; true: the weights alone, for cj_load_weights(): training cannot resume there */
    bool save_weights_only;
} cj_model_checkpoint_args;
/** The defaults of cj_model_checkpoint_args. */
#define CJ_MODEL_CHECKPOINT_DEFAULTS                                                 \
    .size = sizeof(cj_model_checkpoint_args), .monitor = "val_loss", .mode = "auto", \
    .initial_value_threshold = NAN
/** Sets `args` to CJ_MODEL_CHECKPOINT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_model_checkpoint_defaults(cj_model_checkpoint_args *args);
/**
 * Saves the model, with its optimizer and place in the run, so that training can resume from the
 * file. The folder of the file is made. With save_best_only and without the monitored value it warns
 * and saves, as in Keras; an epoch that does not validate (validation_freq) is passed over, also
 * where the path names one of the validation's values.
 */
CJ_API cj_callback *cj_model_checkpoint_new(const cj_model_checkpoint_args *args);
#define cj_model_checkpoint(...) \
    cj_model_checkpoint_new(     \
        &(cj_model_checkpoint_args){CJ_MODEL_CHECKPOINT_DEFAULTS, ._ = 0, __VA_ARGS__})

/** EarlyStopping. */
typedef struct cj_early_stopping_args {
    size_t size;               ///< bytes of the struct
    int _;                     ///< what follows may be given by position
    const char *monitor;       ///< default "val_loss"
    double min_delta;          ///< default 0
    int patience;              ///< default 0
    const char *mode;          ///< "auto" (default), "min" or "max"
    double baseline;           ///< to be reached before patience is renewed; default NAN: none
    bool restore_best_weights; ///< default false
    int start_from_epoch;      ///< default 0
    int verbose;               ///< default 0; 1: a line on standard output when training stops
} cj_early_stopping_args;
/** The defaults of cj_early_stopping_args. */
#define CJ_EARLY_STOPPING_DEFAULTS \
    .size = sizeof(cj_early_stopping_args), .monitor = "val_loss", .mode = "auto", .baseline = NAN
/** Sets `args` to CJ_EARLY_STOPPING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_early_stopping_defaults(cj_early_stopping_args *args);
/**
 * Ends training when the monitored value no longer improves by more than min_delta; NaN is no
 * improvement. With restore_best_weights the weights of the best epoch come back at the end. Warns
 * once if the logs lack the value.
 */
CJ_API cj_callback *cj_early_stopping_new(const cj_early_stopping_args *args);
#define cj_early_stopping(...) \
    cj_early_stopping_new(     \
        &(cj_early_stopping_args){CJ_EARLY_STOPPING_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ReduceLROnPlateau. */
typedef struct cj_reduce_lr_on_plateau_args {
    size_t size;         ///< bytes of the struct
    int _;               ///< what follows may be given by position
    const char *monitor; ///< default "val_loss"
    double factor;       ///< default 0.1; below 1
    int patience;        ///< default 10
    const char *mode;    ///< "auto" (default), "min" or "max"
    double min_delta;    ///< default 1e-4
    int cooldown;        ///< default 0
    double min_lr;       ///< default 0
    int verbose;         ///< default 0; 1: a line on standard output at each reduction
} cj_reduce_lr_on_plateau_args;
/** The defaults of cj_reduce_lr_on_plateau_args. */
#define CJ_REDUCE_LR_ON_PLATEAU_DEFAULTS                                                \
    .size = sizeof(cj_reduce_lr_on_plateau_args), .monitor = "val_loss", .factor = 0.1, \
    .patience = 10, .mode = "auto", .min_delta = 1e-4
/**
 * Sets `args` to CJ_REDUCE_LR_ON_PLATEAU_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_reduce_lr_on_plateau_defaults(cj_reduce_lr_on_plateau_args *args);
/**
 * Multiplies the learning rate by `factor` when the monitored value has not improved for `patience`
 * epochs; NaN is no improvement. Warns once if the logs lack the value.
 */
CJ_API cj_callback *cj_reduce_lr_on_plateau_new(const cj_reduce_lr_on_plateau_args *args);
#define cj_reduce_lr_on_plateau(...) \
    cj_reduce_lr_on_plateau_new(     \
        &(cj_reduce_lr_on_plateau_args){CJ_REDUCE_LR_ON_PLATEAU_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * LearningRateScheduler: before each epoch, learning rate = schedule(epoch, learning rate,
 * context).
 */
CJ_API cj_callback *cj_learning_rate_scheduler(double (*schedule)(int epoch, double learning_rate,
                                                                  void *context),
                                               void *context);

/**
 * A schedule by steps, as Keras's LearningRateSchedule: before each training step, learning rate =
 * schedule(step, learning rate, context). `step` counts the steps since cj_compile(), from 0, and goes
 * on in a resumed run. NULL with CJ_INVALID_ARGUMENT without a schedule, or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_callback *cj_step_scheduler(double (*schedule)(int64_t step, double learning_rate,
                                                         void *context),
                                      void *context);

/**
 * TerminateOnNaN: ends training with CJ_NOT_FINITE and names the first layer and the batch that
 * went wrong.
 */
CJ_API cj_callback *cj_terminate_on_nan(void);

/** How much a call prints. */
typedef enum cj_verbose { CJ_AUTO = -1, CJ_SILENT = 0, CJ_BAR = 1, CJ_LINES = 2 } cj_verbose;

/** The arguments of cj_fit(). */
typedef struct cj_fit_args {
    size_t size;        ///< bytes of the struct
    int _;              ///< what follows may be given by position
    int64_t batch_size; ///< default 0: the model's fixed batch size, else 32
    int epochs;         ///< default 1: the epoch to reach, as in Keras
    /** default CJ_AUTO: silent in the library; CJ_BAR: bar or lines on `stream` */
    cj_verbose verbose;
    FILE *stream; ///< where to print; default NULL: standard output
    /**
     * new ones are taken over; lists: see CJ_IN_BRACES. Default {&cj_no_callback}: none; a NULL in
     * first place is refused
     */
    cj_callback *callbacks[CJ_IN_BRACES];
    cj_callback *const *callbacks_list; ///< or any number of them
    int callbacks_count;                ///< length of callbacks_list
    /** evaluated after each epoch; default &cj_no_dataset: none; NULL is refused */
    cj_dataset *validation_data;
    /**
     * share of the samples, the last ones before shuffling, kept for validation: 0 (default) to 1
     */
    double validation_split;
    int64_t validation_batch_size; ///< default 0: batch_size
    int validation_freq;           ///< default 1: epochs from one validation to the next
    /** default true: a new order for each pass since cj_compile(), from the model's seed */
    bool shuffle;
    /**
     * a weight for each class 0, 1, ...; others count 1. Each sample needs one class: a number,
     * which is rounded, or a one-hot row
     */
    const double *class_weight;
    int class_count;   ///< length of class_weight
    int initial_epoch; ///< default 0
    /** default 0: one pass over the data; else so many batches, which go on through the data */
    int64_t steps_per_epoch;
    /** go on where the model's file was saved, to the same bits */
    bool resume;
    cj_history **history; ///< receives the history, to be released; may be NULL
    /** default 0: all of the validation data; else its first so many batches */
    int64_t validation_steps;
} cj_fit_args;
/** The defaults of cj_fit_args. */
#define CJ_FIT_DEFAULTS                                                                 \
    .size = sizeof(cj_fit_args), .epochs = 1, .verbose = CJ_AUTO, .validation_freq = 1, \
    .shuffle = true, .callbacks = {&cj_no_callback}, .validation_data = &cj_no_dataset
/** Sets `args` to CJ_FIT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_fit_defaults(cj_fit_args *args);
/**
 * Trains a compiled model. On failure the weights are those of the last whole step. Callbacks made
 * for the call are released when it ends: cj_retain() one that is to be looked at or used again.
 * The data stays the caller's. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; a setting out of range;
 * values that are NaN, infinite or no labels), CJ_SHAPE_MISMATCH (data that does not fit the
 * model), CJ_NOT_BUILT (not compiled), CJ_OUT_OF_MEMORY, CJ_NOT_FINITE (TerminateOnNaN), CJ_IO and
 * others that a callback returns, CJ_CANCELLED among them.
 */
CJ_API cj_status cj_fit_with(cj_model *model, cj_dataset *data, const cj_fit_args *args);
/** `cj_fit(model, train, .epochs = 5, .batch_size = 64, .validation_data = test)`. */
#define cj_fit(model, ...)                       \
    cj_fit_with(model, CJ__HEAD(__VA_ARGS__, ~), \
                &(cj_fit_args){CJ_FIT_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_plan(). */
typedef struct cj_plan_args {
    size_t size;        ///< bytes of the struct
    int _;              ///< what follows may be given by position
    int64_t batch_size; ///< default 0: the model's fixed batch size, else 32
    bool training;      ///< the training step of a compiled model; default: prediction
    /** default 0: no times; else the number of runs on zeros whose median time is printed */
    int rounds;
    FILE *stream; ///< where to print; default standard output
} cj_plan_args;
/** The defaults of cj_plan_args. */
#define CJ_PLAN_DEFAULTS .size = sizeof(cj_plan_args)
/** Sets `args` to CJ_PLAN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_plan_defaults(cj_plan_args *args);
/**
 * Prints what a step of a model runs for a batch size: each kernel in order with its form (direct,
 * winograd, blocks), the shapes of its operands, where in the arena its result lies, the bytes of
 * its operands, its floating point operations, and, with rounds, its time and GFLOP/s.
 * CAJAL_PLAN=-name, set before, leaves a rewrite out (docs/architecture.md has the names). Weights
 * have the same bits afterwards; no other thread may use the model meanwhile. One of CJ_OK,
 * CJ_INVALID_ARGUMENT, CJ_NOT_BUILT (the model does not know its inputs or, for training, is not
 * compiled), CJ_IO, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_plan_with(cj_model *model, const cj_plan_args *args);
/** `cj_plan(model, .batch_size = 64, .training = true, .rounds = 20)`. */
#define cj_plan(...)                       \
    cj_plan_with(CJ__HEAD(__VA_ARGS__, ~), \
                 &(cj_plan_args){CJ_PLAN_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * Values by name: the loss, then each metric. A counted object (base.h), never changed once made.
 */
typedef struct cj_results cj_results;
/** The number of values; 0 for NULL. */
CJ_API int cj_results_count(const cj_results *results);
/**
 * Name `index`, such as "loss" or "accuracy"; NULL if out of range. Valid as long as the results.
 */
CJ_API const char *cj_results_name(const cj_results *results, int index);
/** The value of `name`; NAN if there is none. */
CJ_API double cj_results_value(const cj_results *results, const char *name);
/** Value `index`; NAN if out of range. */
CJ_API double cj_results_value_at(const cj_results *results, int index);

/** The arguments of cj_evaluate(). */
typedef struct cj_evaluate_args {
    size_t size;        ///< bytes of the struct
    int _;              ///< what follows may be given by position
    int64_t batch_size; ///< default 0: the model's fixed batch size, else 32
    /** default CJ_AUTO: silent in the library; CJ_BAR: bar or lines on `stream` */
    cj_verbose verbose;
    FILE *stream; ///< where to print; default NULL: standard output
} cj_evaluate_args;
/** The defaults of cj_evaluate_args. */
#define CJ_EVALUATE_DEFAULTS .size = sizeof(cj_evaluate_args), .verbose = CJ_AUTO
/** Sets `args` to CJ_EVALUATE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_evaluate_defaults(cj_evaluate_args *args);
/**
 * Loss and metrics of a compiled model over a data set, without training. `*results` receives a new
 * object, to be released. One of CJ_OK, CJ_INVALID_ARGUMENT, CJ_SHAPE_MISMATCH, CJ_NOT_BUILT (not
 * compiled), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_evaluate_with(cj_model *model, cj_dataset *data, cj_results **results,
                                  const cj_evaluate_args *args);
/** `cj_evaluate(model, test, &results, .batch_size = 256)`. */
#define cj_evaluate(model, data, ...)                       \
    cj_evaluate_with(model, data, CJ__HEAD(__VA_ARGS__, ~), \
                     &(cj_evaluate_args){CJ_EVALUATE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_predict() and cj_predict_many(). */
typedef struct cj_predict_args {
    size_t size;        ///< bytes of the struct
    int _;              ///< what follows may be given by position
    int64_t batch_size; ///< default 0: the model's fixed batch size, else 32
    /** default CJ_AUTO: silent in the library; CJ_BAR: bar or lines on `stream` */
    cj_verbose verbose;
    FILE *stream; ///< where to print; default NULL: standard output
} cj_predict_args;
/** The defaults of cj_predict_args. */
#define CJ_PREDICT_DEFAULTS .size = sizeof(cj_predict_args), .verbose = CJ_AUTO
/** Sets `args` to CJ_PREDICT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_predict_defaults(cj_predict_args *args);
/**
 * The model's outputs for all samples of `inputs`, one tensor an input. `outputs[i]` receives a new
 * tensor for output i, to be released. Needs no compile. Several threads may predict with one
 * model. One of CJ_OK, CJ_INVALID_ARGUMENT, CJ_SHAPE_MISMATCH, CJ_NOT_BUILT, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_predict_many_with(cj_model *model, cj_tensor *const *inputs,
                                      cj_tensor **outputs, const cj_predict_args *args);
/**
 * `cj_predict_many(model, inputs, outputs, .batch_size = 256)`. An array that is written in place
 * has parentheses around it, since the macro sees its commas: `((cj_tensor *[]){a, b})`.
 */
#define cj_predict_many(model, inputs, ...)                       \
    cj_predict_many_with(model, inputs, CJ__HEAD(__VA_ARGS__, ~), \
                         &(cj_predict_args){CJ_PREDICT_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})
/**
 * cj_predict_many_with() for a model with one input and one output. Statuses as
 * cj_predict_many_with(), and CJ_INVALID_ARGUMENT for a model with several inputs.
 */
CJ_API cj_status cj_predict_with(cj_model *model, cj_tensor *input, cj_tensor **output,
                                 const cj_predict_args *args);
/** `cj_predict(model, images, &scores, .batch_size = 256)`. */
#define cj_predict(model, input, ...)                       \
    cj_predict_with(model, input, CJ__HEAD(__VA_ARGS__, ~), \
                    &(cj_predict_args){CJ_PREDICT_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * One training step on the samples of `batch` (all of them). If `results` is not NULL, `*results`
 * receives a new object, to be released. One of CJ_OK, CJ_INVALID_ARGUMENT, CJ_SHAPE_MISMATCH,
 * CJ_NOT_BUILT, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_train_on_batch(cj_model *model, cj_dataset *batch, cj_results **results);
/** Loss and metrics of the samples of `batch`, without training; as cj_train_on_batch(). */
CJ_API cj_status cj_test_on_batch(cj_model *model, cj_dataset *batch, cj_results **results);

#ifdef __cplusplus
}
#endif
#endif
