#include "addon/async.h"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/float_environment.h"
#include "runtime/thread_pool.h"

namespace crossthink::addon {
namespace {

struct Job {
  explicit Job(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}

  Napi::Promise::Deferred deferred;
  std::vector<Napi::Reference<Napi::Value>> buffers;  // Destroyed on the JavaScript thread only.
  AsyncWork work;
  const std::atomic<int32_t>* cancel = nullptr;
  bool completed = false;
  std::string error;
};

// Per-environment state. The rules it keeps were each paid for (prototypes/packaging): a cleanup hook cancels and
// waits, because buffers are used in place; the hook is added after the thread-safe function is made, so that it runs
// before Node closes that function (hooks run last-in, first-out); the function is never released from a destructor.
class Instance {
 public:
  static void Settle(Napi::Env env, Napi::Function, Instance* self, Job* raw) {
    const std::unique_ptr<Job> job(raw);
    if (env == nullptr || self == nullptr) return;  // Tearing down: nobody is listening.
    const Napi::HandleScope scope(env);
    if (--self->unsettled_ == 0) self->completions_.Unref(env);
    try {
      if (job->error.empty()) {
        job->deferred.Resolve(Napi::Boolean::New(env, job->completed));
      } else {
        job->deferred.Reject(Napi::Error::New(env, job->error).Value());
      }
    } catch (const Napi::Error&) {
      // A worker being terminated: no JavaScript can run, so there is no one to tell.
    }
  }
  using Completions = Napi::TypedThreadSafeFunction<Instance, Job, Settle>;

  explicit Instance(Napi::Env env) : completions_(Completions::New(env, "crossthink", 0, 1, this)) {
    completions_.Unref(env);  // Only jobs in flight keep the process alive.
    env.AddCleanupHook([](Instance* self) { self->Drain(); }, this);
  }

  Napi::Promise Start(Napi::Env env, std::unique_ptr<Job> job) {
    if (unsettled_++ == 0) completions_.Ref(env);
    const Napi::Promise promise = job->deferred.Promise();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++running_;
    }
    ThreadPool::Instance().Submit([this, job = job.release()] {
      Run(job);
      completions_.NonBlockingCall(job);  // Cannot be closing: Drain() waits for us.
      // Notify under the lock: `this` may be gone as soon as it is released.
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--running_ == 0) idle_.notify_all();
    });
    return promise;
  }

 private:
  void Run(Job* job) {
    if (closing_.load(std::memory_order_relaxed)) return;
    try {
      const FloatEnvironment environment;
      job->completed = job->work(job->cancel != nullptr ? *job->cancel : never_);
    } catch (const std::exception& error) {
      job->error = error.what();
    }
  }

  void Drain() {
    closing_.store(true, std::memory_order_relaxed);
    never_.store(1, std::memory_order_relaxed);  // Stops jobs without a flag of their own.
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
  }

  Completions completions_;
  size_t unsettled_ = 0;  // JavaScript thread only.
  std::atomic<bool> closing_{false};
  std::atomic<int32_t> never_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  size_t running_ = 0;  // Guarded by mutex_.
};

}  // namespace

void RegisterAsync(Napi::Env env) { env.SetInstanceData(new Instance(env)); }

Napi::Promise StartAsync(Napi::Env env, AsyncWork work, const Napi::Value& cancel_flag,
                         const std::vector<Napi::Value>& buffers) {
  auto job = std::make_unique<Job>(env);
  job->work = std::move(work);
  for (const Napi::Value& buffer : buffers) {
    if (!buffer.IsUndefined()) job->buffers.push_back(Napi::Reference<Napi::Value>::New(buffer, 1));
  }
  if (!cancel_flag.IsUndefined()) {
    static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t), "the flag is shared with Atomics.store");
    job->cancel = reinterpret_cast<const std::atomic<int32_t>*>(cancel_flag.As<Napi::Int32Array>().Data());
    job->buffers.push_back(Napi::Reference<Napi::Value>::New(cancel_flag, 1));
  }
  return env.GetInstanceData<Instance>()->Start(env, std::move(job));
}

}  // namespace crossthink::addon
