using System;

namespace Postern.Xds;

/// <summary>A file that feeds a <see cref="ResourceStore{T}"/>, now and whenever it is replaced.</summary>
public sealed class FileResourceSource<T> : IDisposable
    where T : class, IEquatable<T>
{
    private readonly string path;
    private readonly Func<string, T> load;
    private readonly ResourceStore<T> store;
    private readonly FileWatchOptions options;
    private FileWatch? watch;

    /// <summary>Creates it; nothing is read yet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="load">Reads and validates the file at a path.</param>
    /// <param name="store">Where good ones go.</param>
    /// <param name="options">Null takes the defaults.</param>
    public FileResourceSource(string path, Func<string, T> load, ResourceStore<T> store, FileWatchOptions? options = null)
    {
        this.path = path;
        this.load = load;
        this.store = store;
        this.options = options ?? FileWatchOptions.Default;
    }

    /// <summary>
    /// Reads the file once and then follows it. The result is that of the first read: whether a rejected start is fatal is the
    /// caller's choice, and the file is followed in any case, so that mending it is enough.
    /// </summary>
    public OfferResult Start()
    {
        if (watch is not null)
        {
            throw new InvalidOperationException("already started");
        }
        // Watch first: a change between the read and the watch must not be lost.
        watch = new FileWatch(path, () => Reload(), options);
        return Reload();
    }

    /// <summary>Reads the file now.</summary>
    public OfferResult Reload() => store.Offer(path, () => load(path));

    /// <inheritdoc/>
    public void Dispose() => watch?.Dispose();
}
