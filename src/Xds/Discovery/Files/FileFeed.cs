using System;
using System.Collections.Generic;
using System.Threading;
using Postern.Xds.Discovery.Streams;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Files;

/// <summary>
/// State of one followed file: its watch and who reads it, in order of subscription. A change is read once and offered to all of them in one job:
/// identities and policies of one file are never of two versions for longer than that takes.
/// </summary>
internal sealed class FileFeed(ClientContext context, string path)
{
    private readonly Lock reading = new(); // keeps the order of readings as that of their jobs
    private readonly List<FileSubscription> readers = [];
    private FileWatch? watch;

    /// <summary>Adds a reader and reads the file for it.</summary>
    public void Add(FileSubscription reader)
    {
        lock (reading)
        {
            readers.Add(reader);
            // Watch first: a change between the read and the watch must not be lost.
            watch ??= new FileWatch(path, () => Read(null), context.Options.FileWatch);
            Read(reader);
        }
    }

    /// <summary>Takes a reader away; the last one ends the watch.</summary>
    public void Remove(FileSubscription reader)
    {
        FileWatch? done = null;
        lock (reading)
        {
            if (readers.Remove(reader) && readers.Count == 0)
            {
                (done, watch) = (watch, null);
            }
        }
        done?.Dispose(); // waits for a callback that may want the lock
    }

    private void Read(FileSubscription? only)
    {
        lock (reading)
        {
            byte[]? bytes = null;
            XdsConfigException? error = null;
            try
            {
                bytes = ConfigDocument.ReadBytes(path, ConfigTextLimits.Default);
            }
            catch (XdsConfigException e)
            {
                error = e;
            }
            FileSubscription[] all = only is null ? [.. readers] : [only];
            context.Worker.Post(() =>
            {
                foreach (var reader in all)
                {
                    reader.Apply(bytes, error);
                }
            });
        }
    }
}
