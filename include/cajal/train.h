/**
 * @file train.h
 * Training: compile, fit, evaluate, predict, and the callbacks that watch.
 *
 * A training step is one cj_function: forward, losses, gradients, optimizer, metrics. cj_compile()
 * fixes what it computes; cj_fit() feeds it. Names of losses and metrics are Keras's; options go in
 * the spec, as in "sparse_categorical_crossentropy(from_logits=true)".
 */
#ifndef CAJAL_TRAIN_H
#define CAJAL_TRAIN_H

#include <cajal/data.h>
#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An optimizer: a rule with its settings. Its slots belong to the model that was compiled with it.
 */
typedef struct cj_optimizer cj_optimizer;

/** Members that every optimizer has. */
#define CJ_OPTIMIZER_MEMBERS                                                                       \
    double weight_decay; /**< default 0: w -= learning_rate * weight_decay * w before each step */ \
    double clipnorm;     /**< default 0 (off): greatest L2 norm of each gradient */                \
    double global_clipnorm; /**< default 0 (off): greatest L2 norm of all gradients together */    \
    double clipvalue; /**< default 0 (off): greatest magnitude of an element of a gradient */      \
    const char *name; /**< default: the rule's name */

/**
 * SGD: m = momentum * m - learning_rate * g; w += m (Nesterov: w += momentum * m - learning_rate *
 * g).
 */
typedef struct cj_sgd_args {
    int _;
    cj_number learning_rate; ///< default 0.01
    double momentum;         ///< default 0
    bool nesterov;           ///< default false
    CJ_OPTIMIZER_MEMBERS
} cj_sgd_args;
/** Stochastic gradient descent. */
CJ_API cj_optimizer *cj_sgd_new(const cj_sgd_args *args);
#define cj_sgd(...) cj_sgd_new(&(cj_sgd_args){._ = 0, __VA_ARGS__})

/** Adagrad (Duchi et al. 2011): a += g²; w -= learning_rate * g / sqrt(a + epsilon). */
typedef struct cj_adagrad_args {
    int _;
    cj_number learning_rate;             ///< default 0.001
    cj_number initial_accumulator_value; ///< default 0.1
    double epsilon;                      ///< default 1e-7
    CJ_OPTIMIZER_MEMBERS
} cj_adagrad_args;
/** Adaptive gradients. */
CJ_API cj_optimizer *cj_adagrad_new(const cj_adagrad_args *args);
#define cj_adagrad(...) cj_adagrad_new(&(cj_adagrad_args){._ = 0, __VA_ARGS__})

/** Adadelta (Zeiler 2012), as Keras has it. */
typedef struct cj_adadelta_args {
    int _;
    cj_number learning_rate; ///< default 0.001
    cj_number rho;           ///< default 0.95
    double epsilon;          ///< default 1e-7
    CJ_OPTIMIZER_MEMBERS
} cj_adadelta_args;
/** Adadelta. */
CJ_API cj_optimizer *cj_adadelta_new(const cj_adadelta_args *args);
#define cj_adadelta(...) cj_adadelta_new(&(cj_adadelta_args){._ = 0, __VA_ARGS__})

/**
 * RMSprop (Tieleman and Hinton 2012): v = rho * v + (1 - rho) * g²; w -= learning_rate * g / sqrt(v
 * + epsilon).
 */
typedef struct cj_rmsprop_args {
    int _;
    cj_number learning_rate; ///< default 0.001
    cj_number rho;           ///< default 0.9
    double momentum;         ///< default 0
    double epsilon;          ///< default 1e-7
    bool centered;           ///< default false: subtract the squared mean gradient
    CJ_OPTIMIZER_MEMBERS
} cj_rmsprop_args;
/** RMSprop. */
CJ_API cj_optimizer *cj_rmsprop_new(const cj_rmsprop_args *args);
#define cj_rmsprop(...) cj_rmsprop_new(&(cj_rmsprop_args){._ = 0, __VA_ARGS__})

/**
 * Adam (Kingma and Ba 2014), epsilon outside the root and the bias correction in the rate, as in
 * Keras.
 */
typedef struct cj_adam_args {
    int _;
    cj_number learning_rate; ///< default 0.001
    cj_number beta_1;        ///< default 0.9
    cj_number beta_2;        ///< default 0.999
    double epsilon;          ///< default 1e-7
    bool amsgrad;            ///< default false: use the greatest second moment so far
    CJ_OPTIMIZER_MEMBERS
} cj_adam_args;
/** Adam. */
CJ_API cj_optimizer *cj_adam_new(const cj_adam_args *args);
#define cj_adam(...) cj_adam_new(&(cj_adam_args){._ = 0, __VA_ARGS__})

/** An optimizer from a spec: "adam", "sgd(learning_rate=0.1, momentum=0.9)". */
CJ_API cj_optimizer *cj_optimizer_from_spec(const char *spec);

/** The greatest number of metrics for one output. */
#define CJ_MAX_METRICS 8

/** The arguments of cj_compile(). */
typedef struct cj_compile_args {
    int _;
    cj_optimizer *optimizer; ///< default cj_rmsprop(), as in Keras
    /** spec for every output; required for training unless `losses` is given */
    const char *loss;
    const char *losses[CJ_MAX_IO];       ///< one spec an output, instead of `loss`
    double loss_weights[CJ_MAX_IO];      ///< default 1 each
    const char *metrics[CJ_MAX_METRICS]; ///< specs, for every output
    /** specs for each output, instead of `metrics` */
    const char *output_metrics[CJ_MAX_IO][CJ_MAX_METRICS];
    /** specs of metrics that see sample and class weights */
    const char *weighted_metrics[CJ_MAX_METRICS];
    /** threads; default: a pool of the default size */
    cj_pool *pool;
} cj_compile_args;
/** Fixes loss, optimizer and metrics. The optimizer's state starts anew. May be called again. */
CJ_API cj_status cj_compile_model(cj_model *model, const cj_compile_args *args);
/** `cj_compile(model, .optimizer = cj_adam(), .loss = "mse", .metrics = {"mae"})`. */
#define cj_compile(model, ...) cj_compile_model(model, &(cj_compile_args){._ = 0, __VA_ARGS__})

/** The learning rate of a compiled model; NAN if it is not compiled. */
CJ_API double cj_learning_rate(const cj_model *model);
/** Sets the learning rate of a compiled model from the next step on. */
CJ_API cj_status cj_set_learning_rate(cj_model *model, double learning_rate);

/**
 * What happened in training: a table of a value for each epoch and name ("loss", "accuracy",
 * "val_loss", ...).
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

/** A watcher of training; see cj_callback_methods. */
typedef struct cj_callback cj_callback;

/** What a callback is told: names and values so far in this epoch, and where training is. */
typedef struct cj_logs {
    int count;                ///< number of entries
    const char *const *names; ///< "loss", "accuracy", then "val_loss", ... at an epoch's end
    const double *values;     ///< one a name
    int epoch;                ///< from 0
    int epochs;               ///< how many there will be
    int64_t batch;            ///< from 0, within the epoch
    int64_t batches;          ///< how many the epoch has
    int64_t samples;          ///< samples seen in this epoch so far
    bool stop;                ///< set by a callback: training ends after this batch (or epoch)
} cj_logs;

/** The methods of a callback; any may be NULL. A failure status ends cj_fit() with it. */
typedef struct cj_callback_methods {
    /** class name, as in Keras */
    const char *name;
    /** before the first epoch */
    cj_status (*train_begin)(void *self, cj_model *model, cj_logs *logs);
    cj_status (*epoch_begin)(void *self, cj_model *model, cj_logs *logs); ///< before each epoch
    /** after each training step */
    cj_status (*batch_end)(void *self, cj_model *model, cj_logs *logs);
    cj_status (*epoch_end)(void *self, cj_model *model, cj_logs *logs); ///< after validation
    cj_status (*train_end)(void *self, cj_model *model, cj_logs *logs); ///< after the last epoch
    /** what a resumed run needs: writes and counts it */
    int (*state)(void *self, double *values, int capacity);
    void (*set_state)(void *self, const double *values, int count); ///< gives it back
    /** when the callback is released */
    void (*free)(void *self);
} cj_callback_methods;
/** A callback of the user's own. `self` is handed to each method; `methods` must stay valid. */
CJ_API cj_callback *cj_callback_new(const cj_callback_methods *methods, void *self);

/** ProgbarLogger: a bar that looks like Keras's on a terminal, a line an epoch elsewhere. */
CJ_API cj_callback *cj_progress_bar(FILE *stream);

/** CSVLogger. */
typedef struct cj_csv_logger_args {
    int _;
    const char *filename;  ///< required
    const char *separator; ///< default ","
    bool append;           ///< keep what the file has
} cj_csv_logger_args;
/** A line an epoch: epoch, then every value. */
CJ_API cj_callback *cj_csv_logger_new(const cj_csv_logger_args *args);
#define cj_csv_logger(...) cj_csv_logger_new(&(cj_csv_logger_args){._ = 0, __VA_ARGS__})

/** ModelCheckpoint. */
typedef struct cj_model_checkpoint_args {
    int _;
    const char *filepath; ///< required; {epoch}, {epoch:02d} and {name:.4f} are replaced
    const char *monitor;  ///< default "val_loss"
    const char *mode;     ///< "auto" (default), "min" or "max"
    bool save_best_only;  ///< write only when the monitored value improved
    int64_t save_freq;    ///< every so many batches instead of every epoch
    int verbose;          ///< 1: say so on standard output
} cj_model_checkpoint_args;
/**
 * Saves the model, with its optimizer and place in the run, so that training can resume from the
 * file.
 */
CJ_API cj_callback *cj_model_checkpoint_new(const cj_model_checkpoint_args *args);
#define cj_model_checkpoint(...) \
    cj_model_checkpoint_new(&(cj_model_checkpoint_args){._ = 0, __VA_ARGS__})

/** EarlyStopping. */
typedef struct cj_early_stopping_args {
    int _;
    const char *monitor;       ///< default "val_loss"
    double min_delta;          ///< default 0
    int patience;              ///< default 0
    const char *mode;          ///< "auto" (default), "min" or "max"
    bool has_baseline;         ///< whether `baseline` counts
    double baseline;           ///< a value to be reached before patience is renewed
    bool restore_best_weights; ///< default false
    int start_from_epoch;      ///< default 0
    int verbose;               ///< 1: say so on standard output
} cj_early_stopping_args;
/** Ends training when the monitored value no longer improves. */
CJ_API cj_callback *cj_early_stopping_new(const cj_early_stopping_args *args);
#define cj_early_stopping(...) cj_early_stopping_new(&(cj_early_stopping_args){._ = 0, __VA_ARGS__})

/** ReduceLROnPlateau. */
typedef struct cj_reduce_lr_on_plateau_args {
    int _;
    const char *monitor; ///< default "val_loss"
    double factor;       ///< default 0.1; below 1
    int patience;        ///< default 10
    const char *mode;    ///< "auto" (default), "min" or "max"
    cj_number min_delta; ///< default 1e-4
    int cooldown;        ///< default 0
    double min_lr;       ///< default 0
    int verbose;         ///< 1: say so on standard output
} cj_reduce_lr_on_plateau_args;
/** Multiplies the learning rate by `factor` when the monitored value no longer improves. */
CJ_API cj_callback *cj_reduce_lr_on_plateau_new(const cj_reduce_lr_on_plateau_args *args);
#define cj_reduce_lr_on_plateau(...) \
    cj_reduce_lr_on_plateau_new(&(cj_reduce_lr_on_plateau_args){._ = 0, __VA_ARGS__})

/**
 * LearningRateScheduler: before each epoch, learning rate = schedule(epoch, learning rate,
 * context).
 */
CJ_API cj_callback *cj_learning_rate_scheduler(double (*schedule)(int epoch, double learning_rate,
                                                                  void *context),
                                               void *context);

/**
 * TerminateOnNaN: ends training with CJ_NOT_FINITE and names the first layer and the batch that
 * went wrong.
 */
CJ_API cj_callback *cj_terminate_on_nan(void);

/** How much a call prints. */
typedef enum cj_verbose { CJ_AUTO = 0, CJ_SILENT = -1, CJ_BAR = 1, CJ_LINES = 2 } cj_verbose;

/** The greatest number of callbacks that the macros accept. */
#define CJ_MAX_CALLBACKS 16

/** The arguments of cj_fit(). */
typedef struct cj_fit_args {
    int _;
    int64_t batch_size; ///< default 32
    int epochs;         ///< default 1: the epoch to reach, as in Keras
    /** default CJ_AUTO: silent in the library; CJ_BAR: bar or lines on `stream` */
    cj_verbose verbose;
    FILE *stream;                             ///< where to print; default standard output
    cj_callback *callbacks[CJ_MAX_CALLBACKS]; ///< up to the first NULL; new ones are taken over
    cj_dataset *validation_data;              ///< evaluated after each epoch
    /** the last share of the samples, before shuffling; 0 to 1 */
    double validation_split;
    int64_t validation_batch_size; ///< default: batch_size
    int validation_freq;           ///< default 1: every so many epochs
    /** default CJ_ON: a new order each epoch, from the model's seed */
    cj_switch shuffle;
    const double *class_weight; ///< a weight for each class 0, 1, ...; others count 1
    int class_count;            ///< length of class_weight
    int initial_epoch;          ///< default 0
    int64_t steps_per_epoch;    ///< default: one pass over the data
    /** go on where the model's file was saved, to the same bits */
    bool resume;
    cj_history **history; ///< receives the history, to be released; may be NULL
} cj_fit_args;
/**
 * Trains a compiled model. On failure the weights are those of the last whole step. Callbacks made
 * for the call are released when it ends: cj_retain() one that is to be looked at or used again.
 * The data stays the caller's.
 */
CJ_API cj_status cj_fit_model(cj_model *model, cj_dataset *data, const cj_fit_args *args);
/** `cj_fit(model, train, .epochs = 5, .batch_size = 64, .validation_data = test)`. */
#define cj_fit(model, data, ...) cj_fit_model(model, data, &(cj_fit_args){._ = 0, __VA_ARGS__})

/** The arguments of cj_plan(). */
typedef struct cj_plan_args {
    int _;
    int64_t batch_size; ///< default 32
    bool training;      ///< the training step of a compiled model; default: prediction
    /** default 0: no times; else the median of so many runs of each kernel on zeros */
    int rounds;
    FILE *stream; ///< where to print; default standard output
} cj_plan_args;
/**
 * Prints what a step of a model runs for a batch size: each kernel in order with its form (direct,
 * winograd, blocks), the shapes of its operands, where in the arena its result lies, the bytes of
 * its operands, its floating point operations, and, with rounds, its time and GFLOP/s.
 * CAJAL_PLAN=-name, set before, leaves a rewrite out (docs/architecture.md has the names). Weights
 * have the same bits afterwards; nobody else may use the model meanwhile. CJ_NOT_BUILT if the model
 * does not know its inputs, or, for training, is not compiled.
 */
CJ_API cj_status cj_model_plan(cj_model *model, const cj_plan_args *args);
/** `cj_plan(model, .batch_size = 64, .training = true, .rounds = 20)`. */
#define cj_plan(model, ...) cj_model_plan(model, &(cj_plan_args){._ = 0, __VA_ARGS__})

/** Values by name: the loss, then each metric. */
typedef struct cj_results {
    int count;                                  ///< number of entries
    char names[CJ_MAX_IO * CJ_MAX_METRICS][48]; ///< "loss", "accuracy", ...
    double values[CJ_MAX_IO * CJ_MAX_METRICS];  ///< one a name
} cj_results;
/** The value of `name`; NAN if there is none. */
CJ_API double cj_results_value(const cj_results *results, const char *name);

/** Loss and metrics over a data set, in batches of `batch_size` (0: 32). */
CJ_API cj_status cj_evaluate(cj_model *model, cj_dataset *data, int64_t batch_size,
                             cj_results *results);

/**
 * The model's outputs for all samples of `inputs`, one tensor an input, in batches of `batch_size`
 * (0: 32). Makes a new tensor for each output, to be released. Needs no compile. Several threads
 * may predict with one model.
 */
CJ_API cj_status cj_predict_many(cj_model *model, cj_tensor *const *inputs, int64_t batch_size,
                                 cj_tensor **outputs);
/** cj_predict_many() for a model with one input and one output. */
CJ_API cj_status cj_predict(cj_model *model, cj_tensor *input, int64_t batch_size,
                            cj_tensor **output);

/** One training step on the samples of `batch` (all of them). `results` may be NULL. */
CJ_API cj_status cj_train_on_batch(cj_model *model, cj_dataset *batch, cj_results *results);
/** Loss and metrics of the samples of `batch`, without training. */
CJ_API cj_status cj_test_on_batch(cj_model *model, cj_dataset *batch, cj_results *results);

#ifdef __cplusplus
}
#endif
#endif
