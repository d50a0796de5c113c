/**
 * @file optimizers.h
 * Optimizers: Keras's rules, one constructor each. Names, arguments, defaults and formulas are
 * Keras's (3.15).
 *
 * Constructors return a floating object, which cj_compile() takes over, or NULL with
 * CJ_INVALID_ARGUMENT (a setting out of range, an unknown name) or CJ_OUT_OF_MEMORY. They may be
 * called by several threads at once.
 *
 * A constraint changes a weight after each step of the optimizer. With n the L2 norms of the weight
 * along `axis` (a number, or a list such as (0, 1, 2), negative from the end; default 0):
 * "max_norm(max_value=2, axis=0)" is w min(n, max_value) / (n + 1e-7), "unit_norm(axis=0)" is
 * w / (n + 1e-7), "min_max_norm(min_value=0, max_value=1, rate=1, axis=0)" is w d / (n + 1e-7) with
 * d = rate clip(n, min_value, max_value) + (1 - rate) n, and "non_neg" is max(w, 0).
 */
#ifndef CAJAL_OPTIMIZERS_H
#define CAJAL_OPTIMIZERS_H

#include <cajal/base.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An optimizer: a rule with its settings. Its slots belong to the model that was compiled with it.
 */
typedef struct cj_optimizer cj_optimizer;

/**
 * The head of every optimizer's arguments. `size` is the bytes of the struct, by which the library
 * tells older callers. `name` is the rule's name by default, such as "sgd". With `weight_decay`
 * (default 0) each step begins with w -= learning_rate * weight_decay * w. At most one of the three
 * limits may be set, to a positive number: `clipnorm` on the L2 norm of each gradient,
 * `global_clipnorm` on the L2 norm of all gradients together, `clipvalue` on the magnitude of each
 * element; the default of each is INFINITY, no limit. `reserved` is room for members to come, and
 * is zero.
 */
#define CJ_OPTIMIZER_MEMBERS                                 \
    size_t size;                                             \
    const char *name;       /**< default: the rule's name */ \
    double weight_decay;    /**< default 0 */                \
    double clipnorm;        /**< default INFINITY */         \
    double global_clipnorm; /**< default INFINITY */         \
    double clipvalue;       /**< default INFINITY */         \
    uint64_t reserved[4];   /**< zero */

/** The defaults of CJ_OPTIMIZER_MEMBERS in the arguments struct `type` of the rule `rule`. */
#define CJ_OPTIMIZER_DEFAULTS(type, rule)                                                  \
    .size = sizeof(type), .name = rule, .clipnorm = INFINITY, .global_clipnorm = INFINITY, \
    .clipvalue = INFINITY

/**
 * SGD: m = momentum * m - learning_rate * g; w += m (Nesterov: w += momentum * m - learning_rate *
 * g).
 */
typedef struct cj_sgd_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.01
    double momentum;      ///< default 0
    bool nesterov;        ///< default false
} cj_sgd_args;
/** The defaults of cj_sgd_args. */
#define CJ_SGD_DEFAULTS CJ_OPTIMIZER_DEFAULTS(cj_sgd_args, "sgd"), .learning_rate = 0.01
/** Sets `args` to CJ_SGD_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_sgd_defaults(cj_sgd_args *args);
/** Stochastic gradient descent. */
CJ_API cj_optimizer *cj_sgd_new(const cj_sgd_args *args);
#define cj_sgd(...) cj_sgd_new(&(cj_sgd_args){CJ_SGD_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adagrad (Duchi et al. 2011): a += g²; w -= learning_rate * g / sqrt(a + epsilon).
 */
typedef struct cj_adagrad_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                            ///< what follows may be given by position
    double learning_rate;             ///< default 0.001
    double initial_accumulator_value; ///< default 0.1
    double epsilon;                   ///< default 1e-7
} cj_adagrad_args;
/** The defaults of cj_adagrad_args. */
#define CJ_ADAGRAD_DEFAULTS                            \
    CJ_OPTIMIZER_DEFAULTS(cj_adagrad_args, "adagrad"), \
        .learning_rate = 0.001, .initial_accumulator_value = 0.1, .epsilon = 1e-7
/** Sets `args` to CJ_ADAGRAD_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adagrad_defaults(cj_adagrad_args *args);
/** Adaptive gradients. */
CJ_API cj_optimizer *cj_adagrad_new(const cj_adagrad_args *args);
#define cj_adagrad(...) cj_adagrad_new(&(cj_adagrad_args){CJ_ADAGRAD_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adadelta (Zeiler 2012), as Keras has it.
 */
typedef struct cj_adadelta_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double rho;           ///< default 0.95
    double epsilon;       ///< default 1e-7
} cj_adadelta_args;
/** The defaults of cj_adadelta_args. */
#define CJ_ADADELTA_DEFAULTS                                                                  \
    CJ_OPTIMIZER_DEFAULTS(cj_adadelta_args, "adadelta"), .learning_rate = 0.001, .rho = 0.95, \
                                                         .epsilon = 1e-7
/** Sets `args` to CJ_ADADELTA_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adadelta_defaults(cj_adadelta_args *args);
/** Adadelta. */
CJ_API cj_optimizer *cj_adadelta_new(const cj_adadelta_args *args);
#define cj_adadelta(...) \
    cj_adadelta_new(&(cj_adadelta_args){CJ_ADADELTA_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RMSprop (Tieleman and Hinton 2012): v = rho * v + (1 - rho) * g²; w -= learning_rate * g / sqrt(v
 * + epsilon).
 */
typedef struct cj_rmsprop_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double rho;           ///< default 0.9
    double momentum;      ///< default 0
    double epsilon;       ///< default 1e-7
    bool centered;        ///< default false; true: subtract the squared mean gradient
} cj_rmsprop_args;
/** The defaults of cj_rmsprop_args. */
#define CJ_RMSPROP_DEFAULTS                                                                \
    CJ_OPTIMIZER_DEFAULTS(cj_rmsprop_args, "rmsprop"), .learning_rate = 0.001, .rho = 0.9, \
                                                       .epsilon = 1e-7
/** Sets `args` to CJ_RMSPROP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rmsprop_defaults(cj_rmsprop_args *args);
/** RMSprop. */
CJ_API cj_optimizer *cj_rmsprop_new(const cj_rmsprop_args *args);
#define cj_rmsprop(...) cj_rmsprop_new(&(cj_rmsprop_args){CJ_RMSPROP_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Adam (Kingma and Ba 2014), epsilon outside the root and the bias correction in the rate, as in
 * Keras.
 */
typedef struct cj_adam_args {
    CJ_OPTIMIZER_MEMBERS
    int _;                ///< what follows may be given by position
    double learning_rate; ///< default 0.001
    double beta_1;        ///< default 0.9
    double beta_2;        ///< default 0.999
    double epsilon;       ///< default 1e-7
    bool amsgrad;         ///< default false; true: use the maximum of the second moments so far
} cj_adam_args;
/** The defaults of cj_adam_args. */
#define CJ_ADAM_DEFAULTS                                                                \
    CJ_OPTIMIZER_DEFAULTS(cj_adam_args, "adam"), .learning_rate = 0.001, .beta_1 = 0.9, \
                                                 .beta_2 = 0.999, .epsilon = 1e-7
/** Sets `args` to CJ_ADAM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adam_defaults(cj_adam_args *args);
/** Adam. */
CJ_API cj_optimizer *cj_adam_new(const cj_adam_args *args);
#define cj_adam(...) cj_adam_new(&(cj_adam_args){CJ_ADAM_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * An optimizer from a spec: "adam", "sgd(learning_rate=0.1, momentum=0.9)". Fails as the
 * constructors do.
 */
CJ_API cj_optimizer *cj_optimizer_from_spec(const char *spec);

/**
 * What stands for "no optimizer given" in cj_compile_args: cj_compile() makes a cj_rmsprop(), as in
 * Keras. It is known by its address and of no other use.
 */
CJ_API extern cj_optimizer cj_default_optimizer;

#ifdef __cplusplus
}
#endif
#endif
