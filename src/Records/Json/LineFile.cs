using System;
using System.IO;

namespace Postern.Records.Json;

/// <summary>
/// An append-only file with rotation, or standard output. Owned by one thread. A batch is written whole or taken back: after a failed write the
/// file is cut to its length before, so a full disk leaves no half line behind and the batch can be tried again.
/// </summary>
internal sealed class LineFile(FileLineOptions options) : IDisposable
{
    private Stream? stream;

    /// <summary>Opens the path for appending; keeps what is there.</summary>
    public void Open()
    {
        Dispose();
        if (options.Path == FileLineOptions.StandardOutput)
        {
            stream = Console.OpenStandardOutput();
            return;
        }

        var open = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            // Records tell who talked to whom: readable by the owner and the group only.
            open.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        }

        stream = new FileStream(options.Path, open);
    }

    /// <summary>Appends a batch of whole lines.</summary>
    /// <param name="batch">The lines.</param>
    /// <param name="rotationError">Set when the file is due for rotation and that failed; the batch is written all the same.</param>
    public void Append(ReadOnlySpan<byte> batch, out Exception? rotationError)
    {
        rotationError = null;
        if (stream is null)
        {
            Open();
        }

        if (!stream!.CanSeek)
        {
            stream.Write(batch);
            stream.Flush();
            return;
        }

        // The end is asked for each time: somebody may have truncated the file (logrotate's copytruncate).
        var end = stream.Seek(0, SeekOrigin.End);
        if (options.MaxFileBytes > 0 && end > 0 && end + batch.Length > options.MaxFileBytes)
        {
            rotationError = TryRotate();
            end = stream!.Seek(0, SeekOrigin.End);
        }

        try
        {
            stream.Write(batch);
        }
        catch (IOException)
        {
            stream.SetLength(end);
            throw;
        }
    }

    public void Dispose()
    {
        stream?.Dispose();
        stream = null;
    }

    private IOException? TryRotate()
    {
        try
        {
            if (options.MaxBackups == 0)
            {
                stream!.SetLength(0);
                return null;
            }

            for (var i = options.MaxBackups; i > 0; i--)
            {
                var from = i == 1 ? options.Path : $"{options.Path}.{i - 1}";
                if (File.Exists(from))
                {
                    File.Move(from, $"{options.Path}.{i}", overwrite: true);
                }
            }

            Open();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Open may have closed the old file before it failed; without any file the write below must fail, and be tried again.
            if (stream is null)
            {
                throw;
            }

            return new IOException($"cannot rotate {options.Path}: {e.Message}", e);
        }
    }
}
