/**
 * @file callbacks.h
 * Callbacks beside those of train.h. What train.h says of constructors of callbacks holds here too.
 */
#ifndef CAJAL_CALLBACKS_H
#define CAJAL_CALLBACKS_H

#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** BackupAndRestore. */
typedef struct cj_backup_and_restore_args {
    size_t size;            ///< bytes of the struct
    int _;                  ///< what follows may be given by position
    const char *backup_dir; ///< required: the folder of the backup, which is made
    int64_t save_freq;      ///< number of batches between two backups; default 0: every epoch
    bool double_checkpoint; ///< default false; true: the backup before the last is kept too
    bool delete_checkpoint; ///< default true: the backup is removed when training ends
} cj_backup_and_restore_args;
/** The defaults of cj_backup_and_restore_args. */
#define CJ_BACKUP_AND_RESTORE_DEFAULTS \
    .size = sizeof(cj_backup_and_restore_args), .delete_checkpoint = true
/**
 * Sets `args` to CJ_BACKUP_AND_RESTORE_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_backup_and_restore_defaults(cj_backup_and_restore_args *args);
/**
 * Training that survives the end of its process: a program that is killed and started again goes on
 * from the backup, to the same bits as one that was never killed. The backup is the model file
 * "latest.safetensors" in the folder, with the optimizer, the place in the run and what other
 * callbacks remember; with double_checkpoint the one before it is "previous.safetensors", which is
 * taken where the latest cannot be read. cj_fit() then fails with what cj_save() and cj_load() give,
 * and with CJ_INVALID_ARGUMENT for a backup of another model or of other data. It begins anew where
 * there is no backup. Give one of them to a run.
 */
CJ_API cj_callback *cj_backup_and_restore_new(const cj_backup_and_restore_args *args);
#define cj_backup_and_restore(...) \
    cj_backup_and_restore_new(     \
        &(cj_backup_and_restore_args){CJ_BACKUP_AND_RESTORE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** SwapEMAWeights. */
typedef struct cj_swap_ema_weights_args {
    size_t size;        ///< bytes of the struct
    int _;              ///< what follows may be given by position
    bool swap_on_epoch; ///< default false; true: also from the end of an epoch to the next
} cj_swap_ema_weights_args;
/** The defaults of cj_swap_ema_weights_args. */
#define CJ_SWAP_EMA_WEIGHTS_DEFAULTS .size = sizeof(cj_swap_ema_weights_args)
/** Sets `args` to CJ_SWAP_EMA_WEIGHTS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_swap_ema_weights_defaults(cj_swap_ema_weights_args *args);
/**
 * While the model is validated, the moving averages that its optimizer keeps (use_ema) stand in for
 * the weights; with swap_on_epoch they do at the end of each epoch too, so that a ModelCheckpoint
 * after this callback in the list saves them. cj_fit() fails with CJ_INVALID_ARGUMENT if the
 * optimizer keeps none.
 */
CJ_API cj_callback *cj_swap_ema_weights_new(const cj_swap_ema_weights_args *args);
#define cj_swap_ema_weights(...) \
    cj_swap_ema_weights_new(     \
        &(cj_swap_ema_weights_args){CJ_SWAP_EMA_WEIGHTS_DEFAULTS, ._ = 0, __VA_ARGS__})

/** TensorBoard. */
typedef struct cj_tensor_board_args {
    size_t size;         ///< bytes of the struct
    int _;               ///< what follows may be given by position
    const char *log_dir; ///< default "logs": the folder, which is made
    int histogram_freq;  ///< epochs between two histograms of the weights; default 0: none
    int64_t update_freq; ///< batches between two values of batches; default 0: epochs only
} cj_tensor_board_args;
/** The defaults of cj_tensor_board_args. */
#define CJ_TENSOR_BOARD_DEFAULTS .size = sizeof(cj_tensor_board_args), .log_dir = "logs"
/** Sets `args` to CJ_TENSOR_BOARD_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_tensor_board_defaults(cj_tensor_board_args *args);
/**
 * Writes event files that TensorBoard shows: "epoch_loss" and the like below "train" in the folder,
 * those of the validation under the same tags below "validation"; with update_freq "batch_loss", the
 * mean of the epoch so far; with histogram_freq "dense/kernel/histogram". Graphs, images and profiles
 * are left out. cj_fit() fails with CJ_IO if a file cannot be written.
 */
CJ_API cj_callback *cj_tensor_board_new(const cj_tensor_board_args *args);
#define cj_tensor_board(...) \
    cj_tensor_board_new(&(cj_tensor_board_args){CJ_TENSOR_BOARD_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
