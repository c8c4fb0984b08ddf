using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>Takes the datagrams of a batch. What the batch shows holds until it returns.</summary>
/// <param name="batch">The datagrams.</param>
/// <param name="count">How many, 1 or more.</param>
public delegate void DatagramHandler(DatagramBatch batch, int count);

/// <summary>
/// A thread that waits in poll(2) for datagrams of one socket and hands them to a handler, batch by batch, without allocating. The handler runs
/// on that thread: while it works the kernel queues.
/// </summary>
public sealed class UdpReceiver : IDisposable
{
    private const int EventCloseOnExec = 0x80000;
    private const long ComplaintIntervalMilliseconds = 10_000;

    private readonly Socket _socket;
    private readonly DatagramBatch _batch;
    private readonly DatagramHandler _handler;
    private readonly Action<string> _log;
    private readonly SafeFileHandle _stop;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private volatile bool _stopping;
    private bool _started;
    private uint _drops;
    private long _nextComplaint = long.MinValue;

    /// <param name="socket">From <see cref="UdpListener.Bind"/>; the receiver owns it from now on.</param>
    /// <param name="batch">Used by the receiver's thread alone.</param>
    /// <param name="handler">Its exceptions are counted and logged, and the next batch comes.</param>
    /// <param name="log">Called on the receiver's thread.</param>
    public UdpReceiver(Socket socket, DatagramBatch batch, DatagramHandler handler, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(socket);
        _socket = socket;
        _batch = batch;
        _handler = handler;
        _log = log;
        _name = $"UDP {socket.LocalEndPoint}";
        var descriptor = Libc.EventDescriptor(0, EventCloseOnExec);
        if (descriptor < 0)
        {
            throw new TproxyException($"cannot make an event descriptor for {_name}: {Marshal.GetLastPInvokeErrorMessage()}; raise the limit of file descriptors (ulimit -n, systemd LimitNOFILE)");
        }

        _stop = new SafeFileHandle(descriptor, ownsHandle: true);
        _thread = new Thread(Run) { IsBackground = true, Name = _name };
    }

    public UdpCounters Counters { get; } = new();

    /// <summary>Ends when the thread does: well after <see cref="Stop"/>, with a <see cref="TproxyException"/> if the socket failed for good. Then nobody answers the port any more.</summary>
    public Task Completion => _completion.Task;

    public void Start()
    {
        _started = true;
        _thread.Start();
    }

    /// <summary>Ends the thread after the batch in hand; what is queued stays unread. May be called from the handler, which then returns first.</summary>
    public void Stop()
    {
        if (_stopping)
        {
            Join();
            return;
        }

        _stopping = true;
        Libc.Write(_stop, 1UL, sizeof(ulong));
        Join();
    }

    public void Dispose()
    {
        Stop();
        _socket.Dispose();
        _stop.Dispose();
    }

    private void Join()
    {
        if (_started && Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        var held = false;
        var stopHeld = false;
        try
        {
            var handle = _socket.SafeHandle;
            handle.DangerousAddRef(ref held);
            _stop.DangerousAddRef(ref stopHeld);
            Loop(handle);
            _completion.TrySetResult();
        }
        catch (Exception error) when (error is TproxyException or ObjectDisposedException)
        {
            _log($"{_name}: {error.Message}");
            _completion.TrySetException(error);
        }
        finally
        {
            if (held)
            {
                _socket.SafeHandle.DangerousRelease();
            }

            if (stopHeld)
            {
                _stop.DangerousRelease();
            }
        }
    }

    private void Loop(SafeHandle socket)
    {
        Span<PollEntry> entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = (int)socket.DangerousGetHandle(), Wanted = PollEntry.Readable };
        entries[1] = new PollEntry { Descriptor = (int)_stop.DangerousGetHandle(), Wanted = PollEntry.Readable };
        while (!_stopping)
        {
            switch (_batch.TryReceive(socket))
            {
                case 0:
                    Handle();
                    // A batch that is not full has emptied the queue: asking again would cost a call in vain.
                    if (!_batch.Full)
                    {
                        Await(entries);
                    }

                    break;
                case Libc.ErrorAgain:
                    Await(entries);
                    break;
                case Libc.ErrorInterrupted:
                    break;
                case Libc.ErrorNoMemory or Libc.ErrorNoBuffers or Libc.ErrorConnectionRefused:
                    Counters.ReceiveFailed();
                    Await(entries);
                    break;
                case var error:
                    throw new TproxyException($"cannot receive any more: {Marshal.GetPInvokeErrorMessage(error)} (errno {error}); restart the listener");
            }
        }
    }

    private static void Await(Span<PollEntry> entries)
    {
        if (Libc.Poll(entries, (nuint)entries.Length, -1) < 0 && Marshal.GetLastPInvokeError() is not Libc.ErrorInterrupted and var error)
        {
            throw new TproxyException($"cannot wait for datagrams: {Marshal.GetPInvokeErrorMessage(error)} (errno {error}); restart the listener");
        }
    }

    private void Handle()
    {
        Counters.Took(_batch, unchecked(_batch.QueueDrops - _drops));
        _drops = _batch.QueueDrops;
        if (_batch.Count == 0)
        {
            return;
        }

        try
        {
            _handler(_batch, _batch.Count);
        }
        catch (Exception error)
        {
            // Whatever it is, one batch must not end the port. Under attack the log must not grow with the traffic either.
            var failures = Counters.HandlerFailed();
            if (Environment.TickCount64 >= _nextComplaint)
            {
                _nextComplaint = Environment.TickCount64 + ComplaintIntervalMilliseconds;
                _log($"{_name}: a batch of datagrams was lost, {failures} so far: {error}");
            }
        }
    }
}
