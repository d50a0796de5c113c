// Made by tests/parity/make_outputs.py with Keras 3.15.1.
static const expected by_name[] = {
    {"a_loss", 0.094865285, 0.046443988},   {"a_mae", 0.26302269, 0.26302269},
    {"a_mse", 0.094865285, 0.094865285},    {"a_weighted_mae", 0.26302269, 0.18580119},
    {"b_loss", 0.33147818, 0.31492749},     {"b_mse", 0.12788987, 0.15049157},
    {"c_accuracy", 0.33333334, 0.33333334}, {"c_loss", 1.0835285, 0.89492321},
    {"loss", 2.5459678, 2.127996},
};
static const expected without_b[] = {
    {"a_loss", 0.094865285, 0.046443988},
    {"c_loss", 1.0835285, 0.89492321},
    {"loss", 1.1783938, 0.94136715},
};
