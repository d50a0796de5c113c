// What a thread keeps must go with it: a function to be run when the calling thread ends.
#ifndef CJ_BASE_THREAD_END_H
#define CJ_BASE_THREAD_END_H

// Calls run() once when the calling thread ends; asking again before that changes nothing. One
// function serves the whole library. It is not called at the end of the process, where the main
// thread's memory is still reachable.
void cj__at_thread_end(void (*run)(void));

#endif
