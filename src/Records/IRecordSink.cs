namespace Postern.Records;

/// <summary>Takes records. Called on data-path threads: must not block, must not throw; when full it drops and counts.</summary>
public interface IRecordSink
{
    /// <summary>Short name for metrics and log lines, e.g. <c>json</c>.</summary>
    string Name { get; }

    /// <summary>Records handed over so far (written, or queued for writing).</summary>
    long Written => 0;

    /// <summary>Records lost so far because the sink was full or its peer was gone.</summary>
    long Dropped { get; }

    /// <summary>Serialised bytes handed over so far.</summary>
    long Bytes => 0;

    /// <summary>Serialises <paramref name="record"/> before it returns; the record is reused by its owner afterwards.</summary>
    void Write(VisibilityRecord record);
}
