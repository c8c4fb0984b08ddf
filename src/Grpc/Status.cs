namespace Postern.Grpc;

/// <summary>How a call ended.</summary>
/// <param name="StatusCode"><c>grpc-status</c>.</param>
/// <param name="Detail"><c>grpc-message</c>, decoded; may be empty.</param>
public readonly record struct Status(StatusCode StatusCode, string Detail)
{
    /// <summary>OK without a message.</summary>
    public static readonly Status Ok = new(StatusCode.OK, "");
}
