#ifndef CROSSTHINK_ADDON_ASYNC_H_
#define CROSSTHINK_ADDON_ASYNC_H_

#include <napi.h>

#include <atomic>
#include <functional>
#include <vector>

namespace crossthink::addon {

// Work for the shared pool. It runs off the JavaScript thread on memory of JavaScript buffers, in place: it must touch
// nothing of Node-API and look at `cancel` between chunks. Returns false where it stopped early.
using AsyncWork = std::function<bool(const std::atomic<int32_t>& cancel)>;

// Sets up what StartAsync needs in this environment (one per worker_thread that loads the addon).
void RegisterAsync(Napi::Env env);

// Runs `work` and settles the promise with its result on the JavaScript thread; a C++ exception in it rejects.
// `cancel_flag` is undefined or an Int32Array whose element 0 JavaScript sets to stop the work. `buffers` are kept
// alive until then. No job outlives its environment: a worker that is terminated waits for its jobs.
Napi::Promise StartAsync(Napi::Env env, AsyncWork work, const Napi::Value& cancel_flag,
                         const std::vector<Napi::Value>& buffers);

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_ASYNC_H_
