namespace Postern.Records.Json;

/// <summary>How much of the headers a JSON record shows.</summary>
public enum HeaderDetail
{
    /// <summary>No header lists at all.</summary>
    None,

    /// <summary>Names only: <c>[["accept"],["user-agent"]]</c>.</summary>
    Names,

    /// <summary>Names and values, secrets redacted.</summary>
    All,
}
