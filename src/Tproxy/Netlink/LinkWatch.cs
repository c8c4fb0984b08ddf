using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Netlink;

/// <summary>
/// Calls back, on a thread of its own, when devices of the network namespace come, go or change. Only tells that something changed: whoever is called reads
/// the devices afresh, so that a lost message (ENOBUFS) costs nothing but a call too many. A thread begins in its maker's network namespace.
/// </summary>
internal sealed class LinkWatch : IDisposable
{
    private const uint LinkGroup = 1; // RTMGRP_LINK

    private readonly NetlinkSocket socket = new(LinkGroup);
    private readonly SafeFileHandle stop = new(Libc.EventDescriptor(0, 0x80000), ownsHandle: true); // EFD_CLOEXEC
    private readonly Dictionary<int, NetworkDevice> known = [];
    private readonly Action changed;
    private readonly Action<string> log;
    private readonly Thread thread;

    /// <param name="changed">Called once for all that came at once. A <see cref="TproxyException"/> goes to the log.</param>
    /// <param name="log">Gets what keeps the watch from its work.</param>
    internal LinkWatch(Action changed, Action<string> log)
    {
        this.changed = changed;
        this.log = log;
        thread = new Thread(Run) { IsBackground = true, Name = "postern-devices" };
        thread.Start();
    }

    /// <summary>Returns when no call is under way any more; not to be called from within one, nor with a lock that the callee takes.</summary>
    public void Dispose()
    {
        Stop();
        thread.Join();
        socket.Dispose();
        stop.Dispose();
    }

    /// <summary>The thread ends when it has time. For who cannot wait for it; its two descriptors then go with their finalizers.</summary>
    internal void Stop() => Libc.Write(stop, 1UL, sizeof(ulong));

    private void Run()
    {
        var buffer = new byte[NetlinkSocket.BufferSize];
        try
        {
            while (WaitForMessage())
            {
                if (Drain(buffer))
                {
                    Call();
                }
            }
        }
        catch (TproxyException error)
        {
            log($"steering: devices are not watched any more: {error.Message}; what comes by new ones is dropped where a rule concerns it; start again");
        }
    }

    private void Call()
    {
        try
        {
            changed();
        }
        catch (TproxyException error)
        {
            log($"steering: could not follow a change of devices: {error.Message}; it is tried again with the next change");
        }
    }

    /// <summary>False when it is time to end.</summary>
    private bool WaitForMessage()
    {
        Span<PollEntry> entries =
        [
            new PollEntry { Descriptor = socket.Descriptor, Wanted = PollEntry.Readable },
            new PollEntry { Descriptor = (int)stop.DangerousGetHandle(), Wanted = PollEntry.Readable },
        ];
        while (Libc.Poll(entries, (nuint)entries.Length, -1) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.ErrorInterrupted)
            {
                throw new TproxyException($"poll: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
            }
        }

        return entries[1].Seen == 0;
    }

    /// <summary>Reads what is there. True if it tells anything new: devices report their counters and carriers, too.</summary>
    private bool Drain(byte[] buffer)
    {
        var news = false;
        // Bounded: a storm of messages must not keep the devices from being read.
        for (var i = 0; i < 1024; i++)
        {
            var length = socket.Receive(buffer, ReceiveWait.None);
            if (length == -1)
            {
                return news;
            }

            if (length == -2)
            {
                known.Clear();
                news = true;
                continue;
            }

            var reader = NetlinkReader.Messages(buffer.AsSpan(0, length));
            while (reader.Next())
            {
                news |= LinkMessage.TryParse(reader.Type, reader.Payload, out var message, out var isOther) ? Take(message) : !isOther;
            }

            news |= reader.IsMalformed;
        }

        return news;
    }

    private bool Take(LinkMessage message)
    {
        var index = message.Device.Index;
        if (message.IsGone)
        {
            known.Remove(index);
            return true;
        }

        if (known.TryGetValue(index, out var before) && before == message.Device)
        {
            return false;
        }

        known[index] = message.Device;
        return true;
    }
}
