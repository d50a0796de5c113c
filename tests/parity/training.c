// Random models trained by Keras: see generator/random_training.py. `training FOLDER` compares those that
// random_models.py left there; without it there is nothing to compare.
#include "trained.h"

static void equal_keras(void **state)
{
    fixture_run(*state, trained_equals_keras);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest drawn[] = {
        {"random_training", equal_keras, NULL, NULL, "random_training"}};
    if (argc != 2)
        return 0;
    fixture_folder = argv[1];
    return cmocka_run_group_tests(drawn, NULL, NULL);
}
