namespace Postern.Tproxy.Steering;

/// <summary>Whether packets that answer on an unsteered connection are kept from the steering rules.</summary>
internal enum AnswerRules
{
    /// <summary>By conntrack and a connection mark.</summary>
    Told,

    /// <summary>The kernel cannot.</summary>
    NotTold,
}
