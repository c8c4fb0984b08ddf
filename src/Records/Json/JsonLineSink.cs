using System;

namespace Postern.Records.Json;

/// <summary>
/// Serialises a record once and gives the line to every output (file, observers). Nothing is serialised while no output listens.
/// Disposes its outputs.
/// </summary>
public sealed class JsonLineSink : IRecordSink, IDisposable
{
    private readonly JsonRecordEncoder encoder;
    private readonly ILineOutput[] outputs;

    /// <summary>Creates it over one or more outputs.</summary>
    public JsonLineSink(JsonRecordEncoder encoder, params ReadOnlySpan<ILineOutput> outputs)
    {
        this.encoder = encoder;
        this.outputs = outputs.ToArray();
    }

    /// <inheritdoc/>
    public string Name => "json";

    /// <inheritdoc/>
    public long Written => Sum(static output => output.Written);

    /// <inheritdoc/>
    public long Dropped => Sum(static output => output.Dropped);

    /// <inheritdoc/>
    public long Bytes => Sum(static output => output.Bytes);

    /// <inheritdoc/>
    public void Write(VisibilityRecord record)
    {
        ReadOnlySpan<byte> line = default;
        foreach (var output in outputs)
        {
            if (!output.IsListening)
            {
                continue;
            }

            if (line.IsEmpty)
            {
                line = encoder.Encode(record);
            }

            output.Write(line);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var output in outputs)
        {
            (output as IDisposable)?.Dispose();
        }
    }

    private long Sum(Func<ILineOutput, long> read)
    {
        long sum = 0;
        foreach (var output in outputs)
        {
            sum += read(output);
        }

        return sum;
    }
}
